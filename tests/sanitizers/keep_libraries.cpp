// In place of the C library's. A driver that has been unloaded takes its name along and the last pointers to what it
// never frees: the leak sanitizer would call that memory lost, at "unknown module", which no suppression can name.
extern "C" int dlclose(void* /*handle*/) { return 0; }
