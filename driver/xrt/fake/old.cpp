// For tests: an XRT that is too old. It has the library's name and not the functions that the driver needs.
extern "C" __attribute__((visibility("default"))) unsigned xclProbe() { return 0; }
