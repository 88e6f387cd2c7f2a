#include "png.hpp"

#include "error.hpp"

#ifdef JOGAK_HAS_PNG
#include <png.h>
#endif

namespace jogak::eval {

#ifdef JOGAK_HAS_PNG
std::vector<float> read_png(const std::filesystem::path& path, const std::vector<std::int64_t>& shape) {
  const std::string name = "image " + path.filename().string();
  const auto channels = static_cast<std::size_t>(shape.at(0)), height = static_cast<std::size_t>(shape.at(1)), width = static_cast<std::size_t>(shape.at(2));
  if (channels != 1 && channels != 3) throw Error("eval", name, std::to_string(channels) + " channels asked for", "1 or 3");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto check = [&](bool good, const std::string& found) {
    if (good) return;
    png_image_free(&image);
    throw Error("eval", name, found, "a .png of " + std::to_string(width) + " x " + std::to_string(height));
  };
  check(png_image_begin_read_from_file(&image, path.c_str()) != 0, image.message);
  check(image.width == width && image.height == height, std::to_string(image.width) + " x " + std::to_string(image.height));
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<png_byte> bytes(PNG_IMAGE_SIZE(image));
  const png_color black{0, 0, 0};  // behind what is transparent
  check(png_image_finish_read(&image, &black, bytes.data(), 0, nullptr) != 0, image.message);
  std::vector<float> values(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) values[i % channels * width * height + i / channels] = static_cast<float>(bytes[i]);
  return values;
}
#else
std::vector<float> read_png(const std::filesystem::path& path, const std::vector<std::int64_t>&) {
  throw Error("eval", "image " + path.filename().string(), "a build without libpng", "libpng-dev when the project is built, or .npy");
}
#endif

}  // namespace jogak::eval
