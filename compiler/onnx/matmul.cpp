// Matrix products.
#include <algorithm>

#include "handlers.hpp"
#include "patterns.hpp"

namespace jogak::onnx {

Val numpy_matmul(Context& c, const Val& left, const Val& right) {
  Build& b = c.b;
  if (left.rank() == 0 || right.rank() == 0) c.refuse("operands", "a scalar", "vectors, matrices or stacks of them");
  const Val a = left.rank() == 1 ? b.reshape(left, {1, left.shape[0]}) : left;
  const Val w = right.rank() == 1 ? b.reshape(right, {right.shape[0], 1}) : right;
  if (a.shape.back() != w.shape[w.shape.size() - 2])
    c.refuse("inner sizes", to_string(left.shape) + " and " + to_string(right.shape), "equal ones");
  Val y = b.matmul(a, w);
  Shape shape = y.shape;
  if (left.rank() == 1) shape.erase(shape.end() - 2);
  if (right.rank() == 1) shape.pop_back();
  return b.reshape(y, shape);
}

namespace {

void gemm(Context& c) {
  Build& b = c.b;
  const bool flip_a = c.integer("transA", 0) != 0, flip_b = c.integer("transB", 0) != 0;
  const float alpha = c.number("alpha", 1), beta = c.number("beta", 1);
  if (c.in(0).rank() != 2 || c.in(1).rank() != 2) c.refuse("operands", to_string(c.in(0).shape) + " and " + to_string(c.in(1).shape), "matrices");
  Val y = b.matmul(c.in(0), c.in(1), flip_a, flip_b);
  if (alpha != 1) y = b.mul(y, alpha);
  if (c.has(2) && beta != 0) y = b.add(y, beta == 1 ? c.in(2) : b.mul(c.in(2), beta));
  c.out(y);
}

// One pair of operands at a time: letters in both are batch axes when the result has them, else they are summed.
class Einsum {
 public:
  Einsum(Context& c, const std::string& equation) : c_(c), b_(c.b) {
    for (const char letter : equation)
      if (letter != ' ') text_ += letter;
  }

  Val result() {
    spell_ellipses();
    const auto arrow = text_.find("->");
    std::vector<std::string> terms{""};
    for (const char letter : text_.substr(0, arrow)) {
      if (letter == ',') terms.emplace_back();
      else terms.back() += letter;
    }
    if (terms.size() != c_.inputs() || terms.size() > 2) c_.refuse("equation", text_, "one or two terms, as many as inputs");
    out_ = arrow == std::string::npos ? implied(terms) : text_.substr(arrow + 2);
    for (std::size_t i = 0; i < terms.size(); ++i)
      if (static_cast<std::int64_t>(terms[i].size()) != c_.in(i).rank()) c_.refuse("equation", text_, "a letter for each axis");
    if (terms.size() == 1) return arranged(c_.in(0), terms[0], out_, true);
    return pair(terms[0], terms[1]);
  }

 private:
  static std::string implied(const std::vector<std::string>& terms) {
    std::string all;
    for (const auto& t : terms) all += t;
    std::string once;
    for (char letter = '0'; letter <= 'z'; ++letter)
      if (letter <= '9' ? all.find(letter) != std::string::npos : std::count(all.begin(), all.end(), letter) == 1) once += letter;
    return once;
  }

  // "..." stands for the axes without letters: digits name them, the last axis alike in every term.
  void spell_ellipses() {
    if (text_.find("...") == std::string::npos) return;
    std::size_t most = 0, term = 0, letters = 0;
    for (const char sign : text_.substr(0, text_.find("->")) + ",") {
      if (sign == ',') {
        const auto rank = c_.in(term++).shape.size();
        most = std::max(most, rank > letters ? rank - letters : 0);
        letters = 0;
      } else {
        letters += sign != '.';
      }
    }
    std::string axes;
    for (std::size_t i = 0; i < most && i < 10; ++i) axes += static_cast<char>('0' + i);
    for (auto at = text_.find("..."); at != std::string::npos; at = text_.find("...")) text_.replace(at, 3, axes);
  }

  // x with equal letters' axes joined to their diagonal.
  Val diagonal(Val x, std::string& letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const auto j = letters.find(letters[i], i + 1);
      if (j == std::string::npos) continue;
      std::vector<std::int64_t> order;
      for (std::size_t k = 0; k < letters.size(); ++k)
        if (k != i && k != j) order.push_back(static_cast<std::int64_t>(k));
      order.insert(order.end(), {static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)});
      const auto n = x.shape[i];
      if (x.shape[j] != n) c_.refuse("equation", text_, "equal sizes for " + letters.substr(i, 1));
      const Val turned = b_.transpose(x, order);
      Shape flat(turned.shape.begin(), turned.shape.end() - 2), shape = flat;
      flat.push_back(n * n);
      shape.push_back(n);
      Shape steps(shape.size(), 1);
      steps.back() = n + 1;
      x = b_.slice(b_.reshape(turned, flat), Shape(shape.size(), 0), steps, shape);
      const char letter = letters[i];
      letters.erase(j, 1);
      letters.erase(i, 1);
      letters += letter;
      i = static_cast<std::size_t>(-1);
    }
    return x;
  }

  // Diagonals, then sums over letters that the result lacks, then the result's order.
  Val arranged(Val x, std::string letters, const std::string& order, bool sum) {
    x = diagonal(x, letters);
    std::vector<std::int64_t> gone;
    std::string kept;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      if (order.find(letters[i]) == std::string::npos) gone.push_back(static_cast<std::int64_t>(i));
      else kept += letters[i];
    }
    if (sum) x = b_.reduce(Op::reduce_sum, x, gone, false);
    std::vector<std::int64_t> perm;
    for (const char letter : order) {
      const auto at = kept.find(letter);
      if (at == std::string::npos) c_.refuse("equation", text_, "a result of letters in the terms");
      perm.push_back(static_cast<std::int64_t>(at));
    }
    return b_.transpose(x, perm);
  }

  Val pair(const std::string& a, const std::string& w) {
    std::string batch, rows, columns, inner;
    for (const char letter : a) {
      const bool there = w.find(letter) != std::string::npos, kept = out_.find(letter) != std::string::npos;
      if (there) (kept ? batch : inner) += letter;
      else if (kept) rows += letter;
    }
    for (const char letter : w)
      if (a.find(letter) == std::string::npos && out_.find(letter) != std::string::npos) columns += letter;
    const Val left = arranged(c_.in(0), a, batch + rows + inner, true);
    const Val right = arranged(c_.in(1), w, batch + inner + columns, true);
    const auto sizes = [](const Val& v, std::size_t from, std::size_t n) {
      return Shape(v.shape.begin() + static_cast<std::ptrdiff_t>(from), v.shape.begin() + static_cast<std::ptrdiff_t>(from + n));
    };
    const Shape bs = sizes(left, 0, batch.size()), rs = sizes(left, batch.size(), rows.size());
    const Shape is = sizes(right, batch.size(), inner.size()), cs = sizes(right, batch.size() + inner.size(), columns.size());
    const Val y = b_.matmul(b_.reshape(left, {count(bs), count(rs), count(is)}), b_.reshape(right, {count(bs), count(is), count(cs)}));
    Shape shape = bs;
    shape.insert(shape.end(), rs.begin(), rs.end());
    shape.insert(shape.end(), cs.begin(), cs.end());
    return arranged(b_.reshape(y, shape), batch + rows + columns, out_, false);
  }

  Context& c_;
  Build& b_;
  std::string text_, out_;
};

}  // namespace

void register_matmul(Registry& r) {
  r[":MatMul"] = [](Context& c) {
    const auto whole = fused_attention(c.b, c.in(0), c.in(1));
    c.out(whole ? *whole : numpy_matmul(c, c.in(0), c.in(1)));
  };
  r[":Gemm"] = gemm;
  r[":Einsum"] = [](Context& c) { c.out(Einsum(c, c.text("equation", "")).result()); };
}

}  // namespace jogak::onnx
