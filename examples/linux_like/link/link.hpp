// SPDX-License-Identifier: MIT
// Linking of one or several relocatable objects at a fixed address: what is asked for and what
// comes out. Nothing here depends on an architecture; machines.hpp chooses one.
#pragma once

#include "../module_file.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linux_like {

/// One object as the user named it. Owns its bytes.
struct link_input {
  std::string name;
  byte_vector bytes;
};

using absolute_values = std::map<std::string, kmodld::u64, std::less<>>;

struct link_request {
  /// `--section FILE:NAME=0xADDRESS`
  struct placement {
    std::size_t input; ///< index in `inputs`
    std::string section;
    kmodld::u64 address;
  };

  std::vector<link_input> inputs;
  absolute_values absolute; ///< `--abs`
  std::vector<placement> placements;
  kmodld::u64 base = 0;
};

/// Zeroed memory that costs nothing until it is written to. Throws refusal: ENOMEM.
class lazy_memory {
public:
  explicit lazy_memory(std::size_t size);
  ~lazy_memory();
  lazy_memory(const lazy_memory&) = delete;
  lazy_memory& operator=(const lazy_memory&) = delete;

  std::byte* data() const { return data_; }

private:
  std::byte* data_;
  std::size_t size_;
};

/// What was linked. Addresses are those of the target.
struct linked_image {
  struct section {
    std::string name;
    std::string file; ///< empty: made by the linker
    kmodld::u64 address, size;
    const std::byte* bytes; ///< null: all are zero
  };
  std::vector<section> sections; ///< by address
  std::map<std::string, kmodld::u64> symbols;
  std::map<std::string, kmodld::u64> got;
  std::map<std::string, std::vector<kmodld::u64>> stubs;
  std::unique_ptr<lazy_memory> memory; ///< of the sections
};

/// Links for the machine of the first object. Throws refusal.
linked_image link(const link_request& request);

/// Bytes from `base` to the end of the last section above it. Throws refusal: EFBIG beyond
/// `longest_image`.
kmodld::u64 image_size(const linked_image& image, kmodld::u64 base);
inline constexpr kmodld::u64 longest_image = kmodld::u64{1} << 36;

/// The image as a file with holes, and its description in JSON. Both throw refusal.
void write_image(const linked_image& image, kmodld::u64 base, const std::string& file);
void write_map(const linked_image& image, kmodld::u64 base, const std::string& file);

} // namespace linux_like
