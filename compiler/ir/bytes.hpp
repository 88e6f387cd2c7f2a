// The bytes of a tensor: of its own, or a part of something larger that stays where it is (a mapped model file).
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace jogak::ir {

// Copies share what they hold. Reading (const) copies nothing; whoever changes bytes gets a vector of his own first.
class Bytes {
 public:
  using value_type = std::byte;

  Bytes() = default;
  Bytes(std::vector<std::byte> own) : own_(std::make_shared<std::vector<std::byte>>(std::move(own))), view_(*own_) {}  // NOLINT: as a vector
  Bytes(std::initializer_list<std::byte> list) : Bytes(std::vector<std::byte>(list)) {}
  // `part` must stay as it is while `keep` lives.
  Bytes(std::span<const std::byte> part, std::shared_ptr<const void> keep) : keep_(std::move(keep)), view_(part) {}
  template <class Iterator>
  Bytes(Iterator from, Iterator to) : Bytes(std::vector<std::byte>(from, to)) {}

  bool own() const { return keep_ == nullptr; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::byte* data() const { return view_.data(); }
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }
  const std::byte& operator[](std::size_t i) const { return view_[i]; }
  operator std::span<const std::byte>() const { return view_; }                               // NOLINT
  operator std::vector<std::byte>() const { return {view_.begin(), view_.end()}; }            // NOLINT
  // Another part of the same.
  Bytes part(std::size_t from, std::size_t count) const {
    Bytes b;
    b.keep_ = keep_ ? keep_ : std::shared_ptr<const void>(own_);
    b.view_ = view_.subspan(from, count);
    return b;
  }

  std::byte* data() { return mine().data(); }
  std::byte& operator[](std::size_t i) { return mine()[i]; }
  void resize(std::size_t size) { mine().resize(size), view_ = *own_; }
  template <class Iterator>
  void assign(Iterator from, Iterator to) { *this = Bytes(from, to); }
  template <class Iterator>
  void append(Iterator from, Iterator to) {
    mine().insert(mine().end(), from, to);
    view_ = *own_;
  }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_.size() == b.view_.size() && std::equal(a.begin(), a.end(), b.begin()); }

 private:
  std::vector<std::byte>& mine() {
    if (!own_ || own_.use_count() > 1) {
      own_ = std::make_shared<std::vector<std::byte>>(view_.begin(), view_.end());
      view_ = *own_;
    }
    keep_ = nullptr;
    return *own_;
  }

  std::shared_ptr<std::vector<std::byte>> own_;
  std::shared_ptr<const void> keep_;
  std::span<const std::byte> view_;
};

}  // namespace jogak::ir
