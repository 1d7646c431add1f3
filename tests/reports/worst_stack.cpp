// SPDX-License-Identifier: MIT
// worst_stack FILE.ci ROOT [AT=TO]...: the deepest stack below the functions whose signature
// contains ROOT, from the call graph that g++ -fcallgraph-info=su writes, as one line of the path
// each and a last line 'N bytes'. An indirect call whose place contains AT reaches every function
// whose signature contains TO (an empty TO: nothing, it leaves the library). Fails on recursion, on
// frames without a fixed size and on indirect calls that no AT explains.
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

struct function {
  std::string signature;
  long bytes = 0; ///< with the return address; 0 for what is defined elsewhere
  bool fixed = true;
  std::set<std::string> calls;
  std::vector<std::string> indirect; ///< places
  // The answer of the search.
  long below = -1;
  std::string next;
  bool busy = false;
};

std::map<std::string, function> functions;
bool sound = true;

/// Without template arguments, which GCC puts behind " [with" and which fill screens here.
std::string brief(std::string const& signature) {
  return signature.substr(0, signature.find(" [with")).substr(0, 110);
}

/// The text between `key: "` and the next quote.
std::string value(std::string const& line, std::string const& key) {
  auto at = line.find(key + ": \"");
  if (at == std::string::npos)
    return {};
  at += key.size() + 3;
  return line.substr(at, line.find('"', at) - at);
}

void complain(std::string const& text) {
  std::cout << "worst_stack: " << text << '\n';
  sound = false;
}

bool read(char const* file) {
  std::ifstream in{file};
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("node:")) {
      function& f = functions[value(line, "title")];
      std::string const label = value(line, "label");
      f.signature = label.substr(0, label.find("\\n"));
      // "signature\nfile:line:column\n48 bytes (static)\n0 dynamic objects"
      if (auto at = label.find(" bytes ("); at != std::string::npos) {
        f.bytes = std::stol(label.substr(label.rfind("\\n", at) + 2));
        // "(dynamic,bounded)" counts the arguments that calls push.
        f.fixed = label.compare(at, 16, " bytes (dynamic)") != 0;
      }
    } else if (line.starts_with("edge:")) {
      function& f = functions[value(line, "sourcename")];
      std::string const to = value(line, "targetname");
      if (to == "__indirect_call")
        f.indirect.push_back(value(line, "label"));
      else
        f.calls.insert(to);
    }
  }
  return !functions.empty();
}

long deepest(std::string const& name) {
  function& f = functions[name];
  if (f.below >= 0)
    return f.below;
  if (f.busy) {
    complain("recursion through " + brief(f.signature));
    return 0;
  }
  f.busy = true;
  if (!f.fixed)
    complain("no bound for the frame of " + brief(f.signature));
  long most = 0;
  for (std::string const& to : f.calls)
    if (long const n = deepest(to); n > most) {
      most = n;
      f.next = to;
    }
  f.busy = false;
  return f.below = most + f.bytes;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3 || !read(argv[1]))
    return std::fputs("usage: worst_stack FILE.ci ROOT [AT=TO]...\n", stderr), 2;
  for (auto& [name, f] : functions)
    for (std::string const& place : f.indirect) {
      bool explained = false;
      for (int i = 3; i < argc; ++i) {
        std::string const rule = argv[i];
        auto const equal = rule.find('=');
        if (place.find(rule.substr(0, equal)) == std::string::npos)
          continue;
        explained = true;
        std::string const to = rule.substr(equal + 1);
        for (auto const& [other, g] : functions)
          if (!to.empty() && g.signature.find(to) != std::string::npos)
            f.calls.insert(other);
      }
      if (!explained)
        complain("indirect call at " + place);
    }

  std::string worst;
  for (auto const& [name, f] : functions)
    if (f.signature.find(argv[2]) != std::string::npos)
      if (worst.empty() || deepest(name) > deepest(worst))
        worst = name;
  if (worst.empty())
    return std::fputs("worst_stack: no such function\n", stderr), 2;
  long const total = deepest(worst);
  for (std::string at = worst; !at.empty(); at = functions[at].next)
    std::printf("%6ld  %s\n", functions[at].bytes, brief(functions[at].signature).c_str());
  std::printf("%ld bytes\n", total);
  return sound ? 0 : 1;
}
