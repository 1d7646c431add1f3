// SPDX-License-Identifier: MIT
// A module in C++: classes, templates, virtual calls and an object whose constructor runs from
// .init_array; no standard library. cxx_sample_constructed() is 1 where the host runs constructors.
#include <kmodld/module.h>

namespace {

struct shape {
  virtual long area() const = 0;
};
struct square final : shape {
  explicit constexpr square(long side) : side{side} {}
  long area() const override { return side * side; }
  long side;
};
struct box final : shape {
  constexpr box(long width, long height) : width{width}, height{height} {}
  long area() const override { return width * height; }
  long width, height;
};

template <class Value, unsigned int Size>
class ring {
public:
  void push(Value value) { values[(count++) & (Size - 1)] = value; }
  Value sum() const {
    Value total{};
    for (Value value : values)
      total += value;
    return total;
  }

private:
  Value values[Size] = {};
  unsigned int count = 0;
};

int answer() {
  int volatile six = 6;
  return six * 7;
}
struct probe {
  probe() : value{answer()} {}
  int value;
};
probe constructed;
ring<long, 4> last_four;

int scale = 1;
bool loud = false;
char* title;
long weights[3] = {1, 1, 1};
unsigned int weights_given;
char tag[8];
module_param(scale, int, 0644);
module_param(loud, bool, 0644);
module_param(title, charp, 0444);
module_param_array(weights, long, &weights_given, 0444);
module_param_string(tag, tag, sizeof(tag), 0444);

int start() {
  if (loud)
    pr_info("cxx_sample: scale %d\n", scale);
  return 0;
}
void stop() {
  if (loud)
    pr_info("cxx_sample: bye\n");
}

} // namespace

extern "C" {
long cxx_sample_area(long width, long height) {
  square a{width};
  box b{width, height};
  shape const* volatile chosen = &b;
  if (width == height)
    chosen = &a;
  shape const* one = chosen;
  return one->area() * scale;
}
long cxx_sample_push(long value) {
  last_four.push(value);
  return last_four.sum();
}
int cxx_sample_constructed() { return constructed.value == 42; }
}
EXPORT_SYMBOL(cxx_sample_area);
EXPORT_SYMBOL(cxx_sample_constructed);
EXPORT_SYMBOL_GPL(cxx_sample_push);

module_init(start);
module_exit(stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("C++ in a module");
