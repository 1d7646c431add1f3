// SPDX-License-Identifier: MIT
// Reads a flattened device tree (Devicetree Specification, chapter 5). Nothing of it is trusted:
// what does not fit ends the iteration.
#pragma once

#include "../common/string.hpp"

namespace kernel {

class device_tree {
public:
  enum class part { node, property, end_of_node, end, broken };

  /// The blob at `start`, of which at most `most` bytes are looked at.
  device_tree(std::byte const* start, u64 most) : blob_{start, most} {
    constexpr u32 magic = 0xd00dfeed;
    u64 size = word(4);
    if (word(0) != magic || size > most)
      return;
    blob_ = {start, size};
    at_ = word(8);
    strings_ = word(12);
    sound_ = true;
  }

  /// Goes on to the next part; name() and value() are those of what it returns.
  part next() {
    constexpr u32 begin_node = 1, end_node = 2, property = 3, no_operation = 4, end = 9;
    while (sound_) {
      u32 token = take_word();
      if (token == no_operation)
        continue;
      if (token == end_node)
        return part::end_of_node;
      if (token == end)
        return part::end;
      if (token == begin_node) {
        name_ = string_at(at_);
        skip(name_.size() + 1);
        return checked(part::node);
      }
      if (token != property)
        break;
      u64 size = take_word();
      name_ = string_at(strings_ + take_word());
      u64 start = at_;
      skip(size);
      if (sound_)
        value_ = blob_.subspan(start, size);
      return checked(part::property);
    }
    return part::broken;
  }

  text name() const { return name_; }
  bytes value() const { return value_; }

  /// A big-endian number of `size` bytes, 4 or 8; 0 if the value ends before it.
  static u64 number(bytes value, u64 offset, u64 size) {
    u64 n = 0;
    if (offset > value.size() || size > value.size() - offset)
      return 0;
    for (u64 i = 0; i < size; ++i)
      n = n << 8 | static_cast<u64>(value[offset + i]);
    return n;
  }

  /// Whether a list of NUL-terminated strings has `wanted`.
  static bool lists(bytes value, text wanted) {
    auto const* s = reinterpret_cast<char const*>(value.data());
    for (u64 start = 0, at = 0; at < value.size(); ++at)
      if (s[at] == '\0') {
        if (same({s + start, at - start}, wanted))
          return true;
        start = at + 1;
      }
    return false;
  }

private:
  u32 word(u64 offset) const { return static_cast<u32>(number(blob_, offset, 4)); }

  u32 take_word() {
    u64 here = at_;
    skip(4);
    return sound_ ? word(here) : 0;
  }

  // Everything in the tree begins at a multiple of 4. Sizes are below 2^32, so sums cannot wrap.
  void skip(u64 size) {
    at_ = (at_ + size + 3) & ~u64{3};
    sound_ = sound_ && at_ <= blob_.size();
  }

  // The specification allows 31 characters, a unit address aside. A limit keeps the time that a
  // hostile blob takes, whose names may all be one, in proportion to its size.
  text string_at(u64 offset) {
    constexpr u64 most = 256;
    auto const* s = reinterpret_cast<char const*>(blob_.data());
    for (u64 end = offset; end < blob_.size() && end - offset < most; ++end)
      if (s[end] == '\0')
        return {s + offset, end - offset};
    sound_ = false;
    return {};
  }

  part checked(part p) const { return sound_ ? p : part::broken; }

  bytes blob_;
  u64 at_ = 0, strings_ = 0;
  bool sound_ = false;
  text name_;
  bytes value_;
};

} // namespace kernel
