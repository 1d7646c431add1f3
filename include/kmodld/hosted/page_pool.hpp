// SPDX-License-Identifier: MIT
// Which pages of a range are free: the bookkeeping of the arena, without any memory behind it.
//
// Boundary tags, kept apart from the pages, one a page: the first and the last page of an extent
// know its length, so that a released extent merges with its neighbours at once. Every extent
// belongs to an owner; what is free is linked in lists by owner and size class (power of two).
// Nothing here allocates once the pool is made, so giving back cannot fail.
#pragma once

#include <kmodld/address.hpp>

#include <bit>
#include <cstdlib>
#include <memory>

namespace kmodld::hosted {

class page_pool {
public:
  using page = u32;
  static constexpr page none = ~page{0};
  static constexpr unsigned owners = 16;

  struct extent {
    page first;
    page count;
  };

  /// `count` > 0 pages inside [first, last), beginning at a multiple of `align` (a power of two,
  /// counted with the pool's origin).
  struct wish {
    page count;
    page align;
    page first;
    page last;
  };

  /// All `pages` are free and belong to owner 0. `origin` is the number of page 0 in the address
  /// space. pages() is 0 if there was no memory.
  page_pool(page pages, u64 origin) noexcept
      : tags_{static_cast<tag*>(std::calloc(pages, sizeof(tag)))}, pages_{tags_ ? pages : 0},
        origin_{origin} {
    for (auto& head : heads_)
      for (page& first : head)
        first = none;
    if (pages_ != 0)
      link({0, pages_}, 0);
  }

  /// Takes the pages from the best fitting of a few free extents of `owner`; `none` if none fits.
  page take(wish const& w, unsigned owner) noexcept {
    page best = none, place = none;
    for (unsigned c = class_of(w.count); c < classes && best == none; ++c) {
      unsigned fitting = 0;
      for (page p = heads_[owner][c]; p != none && fitting < enough; p = tags_[p].next) {
        page at = fit(p, w);
        if (at == none)
          continue;
        ++fitting;
        if (best != none && tags_[p].count >= tags_[best].count)
          continue;
        best = p;
        place = at;
        if (tags_[p].count == w.count)
          break;
      }
    }
    if (best != none)
      carve({best, tags_[best].count}, {place, w.count}, owner);
    return place;
  }

  /// Whether take() would succeed for some owner.
  bool could_take(wish const& w) const noexcept {
    for (auto const& head : heads_)
      for (unsigned c = class_of(w.count); c < classes; ++c)
        for (page p = head[c]; p != none; p = tags_[p].next)
          if (fit(p, w) != none)
            return true;
    return false;
  }

  /// Gives back what take() answered, to `owner`, who need not be the one it came from. Answers the
  /// free extent it is part of now.
  extent give(page p, unsigned owner) noexcept {
    extent e{p, tags_[p].count};
    mark(e, owner, status::inner, status::inner); // its edges may soon lie inside another
    if (e.first != 0 && free_of(e.first - 1, owner)) {
      page before = tags_[e.first - 1].count;
      e = {e.first - before, e.count + before};
      unlink(e.first);
    }
    if (page end = e.first + e.count; end != pages_ && free_of(end, owner)) {
      e.count += tags_[end].count;
      unlink(end);
    }
    link(e, owner);
    return e;
  }

  /// Hands `part` of the free extent `whole` from one owner to another.
  void hand_over(extent whole, extent part, unsigned from, unsigned to) noexcept {
    carve(whole, part, from);
    give(part.first, to);
  }

  /// Whether an extent that was taken, and not given back, begins here.
  bool taken(page p) const noexcept { return p < pages_ && tags_[p].state == status::taken; }
  page count(page p) const noexcept { return tags_[p].count; }
  unsigned owner(page p) const noexcept { return tags_[p].owner; }
  page pages() const noexcept { return pages_; }

private:
  static constexpr unsigned classes = 32;
  static constexpr unsigned enough = 16; ///< fits that are compared
  enum class status : u8 { inner, free, taken };
  struct tag {
    page count; ///< of the extent; at its first and its last page
    page next;
    page previous;
    u8 owner;
    status state; ///< likewise; `taken` at the first page only
  };
  struct release {
    void operator()(tag* t) const noexcept { std::free(t); }
  };

  static unsigned class_of(page count) noexcept {
    return static_cast<unsigned>(std::bit_width(count)) - 1;
  }

  /// Where in the free extent at `p` the wish fits; `none` if it does not.
  page fit(page p, wish const& w) const noexcept {
    u64 low = p > w.first ? p : w.first;
    u64 end = u64{p} + tags_[p].count;
    u64 at = round_up(low + origin_, u64{w.align}) - origin_;
    return at + w.count <= (end < w.last ? end : w.last) ? static_cast<page>(at) : none;
  }

  bool free_of(page p, unsigned owner) const noexcept {
    return tags_[p].state == status::free && tags_[p].owner == owner;
  }
  void mark(extent e, unsigned owner, status first, status last) noexcept {
    tag& head = tags_[e.first];
    tag& tail = tags_[e.first + e.count - 1];
    head.count = tail.count = e.count;
    head.owner = tail.owner = static_cast<u8>(owner);
    tail.state = last;
    head.state = first;
  }
  void link(extent e, unsigned owner) noexcept {
    mark(e, owner, status::free, status::free);
    page& head = heads_[owner][class_of(e.count)];
    tags_[e.first].previous = none;
    tags_[e.first].next = head;
    if (head != none)
      tags_[head].previous = e.first;
    head = e.first;
  }
  void unlink(page p) noexcept {
    tag& t = tags_[p];
    if (t.previous != none)
      tags_[t.previous].next = t.next;
    else
      heads_[t.owner][class_of(t.count)] = t.next;
    if (t.next != none)
      tags_[t.next].previous = t.previous;
    mark({p, t.count}, t.owner, status::inner, status::inner);
  }
  void carve(extent whole, extent part, unsigned owner) noexcept {
    unlink(whole.first);
    page end = whole.first + whole.count, part_end = part.first + part.count;
    if (part.first != whole.first)
      link({whole.first, part.first - whole.first}, owner);
    if (part_end != end)
      link({part_end, end - part_end}, owner);
    mark(part, owner, status::inner, status::inner);
    tags_[part.first].state = status::taken;
  }

  std::unique_ptr<tag[], release> tags_;
  page pages_;
  u64 origin_;
  page heads_[owners][classes];
};

} // namespace kmodld::hosted
