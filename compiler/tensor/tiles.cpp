#include "tiles.hpp"

#include <algorithm>

namespace jogak::tensor {
namespace {

std::uint32_t up(std::uint32_t x, std::uint32_t to) { return (x + to - 1) / to * to; }

}  // namespace

Walk::Walk(Code& code, std::vector<Operand> operands, const Tiling& tiling) : c_(code), ops_(std::move(operands)), tiling_(tiling) {
  if (tiling.rows) {
    row_cols_ = static_cast<std::uint32_t>(ops_[0].view.sizes.back());
    row_words_ = up(row_cols_, c_.lanes());
    if (row_words_ > tiling.words)
      throw Error("tensor", "row of " + std::to_string(row_cols_) + " values on " + c_.config().name, "no room", "at most " + std::to_string(tiling.words));
  }
  for (const Operand& o : ops_) {
    View v = o.view;
    if (tiling.rows) {
      rows_.push_back({v.sizes.back(), v.strides.back(), o.thin ? 0 : 1, false});
      v.sizes.pop_back();
      v.strides.pop_back();
    }
    views_.push_back(std::move(v));
  }
  collapse(views_);
  choose();
}

bool Walk::fits() const {
  for (std::size_t o = 0; o < ops_.size(); ++o) {
    for (std::size_t d = split_; d < views_[o].strides.size(); ++d)
      if (views_[o].strides[d] < 0 && (d > split_ || chunk_ > 1)) return false;
    const auto dims = box(o);
    const std::size_t runs = !dims.empty() && dims.back().stride == 1 && dims.back().chip == 1 ? 0 : 1;
    if (dims.size() + runs > 3) return false;
  }
  return true;
}

void Walk::choose() {
  const auto& sizes = views_[0].sizes;
  const std::int64_t room = std::min<std::int64_t>(tiling_.words / row_words_, spec::limit::count_max);
  for (split_ = 0; split_ < sizes.size(); ++split_) {
    inner_ = 1;
    for (std::size_t d = split_ + 1; d < sizes.size(); ++d) inner_ *= sizes[d];
    if (inner_ > room) continue;
    chunk_ = std::min(sizes[split_], room / inner_);
    if (fits()) break;
    if (split_ + 1 < sizes.size()) continue;
    chunk_ = 1;  // an axis that is walked down
    break;
  }
  whole_ = sizes[split_] % chunk_ == 0;
}

std::vector<Walk::Dim> Walk::box(std::size_t operand) const {
  const View& v = views_[operand];
  std::vector<Dim> dims;  // innermost first
  std::int64_t chip = 1;
  if (tiling_.rows) {
    const Dim& row = rows_[operand];
    if (row.chip != 0) {
      if (row.size != 1) dims.push_back(row);
      chip = row_words_;
    }
  }
  for (std::size_t d = v.sizes.size(); d-- > split_;) {
    const bool cut = d == split_;
    const Dim now{cut ? 1 : v.sizes[d], v.strides[d], chip, cut};
    chip *= v.sizes[d];
    if (cut ? chunk_ == 1 : now.size == 1) continue;
    if (!dims.empty() && dims.back().stride * dims.back().size == now.stride && dims.back().chip * dims.back().size == now.chip) {
      dims.back().size *= now.size;
      dims.back().cut |= cut;
    } else {
      dims.push_back(now);
    }
  }
  std::reverse(dims.begin(), dims.end());
  return dims;
}

std::int64_t Walk::trips(std::size_t axis) const {
  const std::int64_t size = views_[0].sizes[axis];
  return axis == split_ ? (size + chunk_ - 1) / chunk_ : size;
}

void Walk::run(const std::function<void()>& body) {
  for (const Operand& o : ops_) offset_.push_back(c_.variable(static_cast<std::int64_t>(o.place.offset) + o.view.offset * 4));
  if (!whole_) {
    left_ = c_.variable();
    cut_ = c_.variable();
  }
  int loops = tiling_.loops;
  for (std::size_t d = 0; d <= split_; ++d) loops += trips(d) > 1;
  level(0, loops, body);
}

void Walk::level(std::size_t axis, int loops, const std::function<void()>& body) {
  if (axis == split_ && !whole_) c_.set(left_, views_[0].sizes[axis]);
  const std::int64_t n = trips(axis);
  if (loops > static_cast<int>(spec::limit::loop_depth) && n > 1) {  // more axes than loops: the outermost ones are written out
    for (std::int64_t i = 0; i < n; ++i) iteration(axis, loops - 1, body);
  } else {
    c_.loop(n, [&] { iteration(axis, loops, body); });
  }
}

void Walk::iteration(std::size_t axis, int loops, const std::function<void()>& body) {
  if (axis < split_) {
    level(axis + 1, loops, body);
  } else {
    if (!whole_) c_.alu(AluFn::minu, cut_, left_, c_.k(chunk_));
    body();
    if (!whole_) c_.advance(left_, -chunk_);
  }
  for (std::size_t o = 0; o < ops_.size(); ++o) {
    const auto& strides = views_[o].strides;
    const auto net = [&](std::size_t d) { return strides[d] * 4 * (d == split_ ? chunk_ : 1); };
    c_.advance(offset_[o], net(axis) - (axis < split_ ? net(axis + 1) * trips(axis + 1) : 0));
  }
}

template <class I>
I Walk::transfer(std::size_t operand, Buffer chip, Reg further) {
  auto dims = box(operand);
  const auto size = [&](const Dim& d) { return d.cut ? amount(d.size) : c_.k(d.size); };
  I insn{};
  insn.win = static_cast<std::uint8_t>(ops_[operand].place.window);
  insn.space = spec::Space::vmem;
  insn.da = offset_[operand];
  if (further != 0) {
    insn.da = c_.scratch();
    c_.alu(AluFn::add, insn.da, offset_[operand], further);
  }
  insn.len = c_.k(4);
  if (!dims.empty() && dims.back().stride == 1 && dims.back().chip == 1) {
    insn.len = dims.back().cut ? amount(dims.back().size * 4) : c_.k(dims.back().size * 4);
    dims.pop_back();
  }
  insn.n1 = insn.n2 = c_.k(1);
  if (!dims.empty()) {
    insn.n1 = size(dims.back());
    insn.ds1 = c_.k(dims.back().stride * 4);
    insn.cs1 = c_.k(dims.back().chip * 4);
    dims.pop_back();
  }
  if (!dims.empty()) {
    insn.n2 = size(dims.back());
    insn.ds2 = c_.k(dims.back().stride * 4);
    insn.cs2 = c_.k(dims.back().chip * 4);
  }
  insn.ca = c_.k(std::int64_t(chip.word) * 4);
  return insn;
}

void Walk::load(std::size_t operand, Buffer to) { c_.load(transfer<spec::Load>(operand, to, 0)); }
void Walk::store(std::size_t operand, Buffer from, Reg further) { c_.store(transfer<spec::Store>(operand, from, further)); }

void load_words(Code& c, const Place& from, std::int64_t words, Buffer to) {
  c.load({.win = static_cast<std::uint8_t>(from.window), .space = spec::Space::vmem, .da = c.k(static_cast<std::int64_t>(from.offset)),
          .ca = c.k(std::int64_t(to.word) * 4), .len = c.k(words * 4), .n1 = c.k(1), .n2 = c.k(1)});
}

}  // namespace jogak::tensor
