/* As much of NVIDIA's management library as is asked for: two GPUs, of which the second does not tell how busy it is. */
#include <stdlib.h>

#define NOT_SUPPORTED 3
#define DRIVER_NOT_LOADED 9

struct memory { unsigned long long total, free, used; };
struct utilization { unsigned int gpu, memory; };

int nvmlInitWithFlags(unsigned int flags) { return getenv("NO_DRIVER") ? DRIVER_NOT_LOADED : 0; }
const char *nvmlErrorString(int code) { return code == DRIVER_NOT_LOADED ? "Driver Not Loaded" : "Not Supported"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, void **device) { *device = (void *)(unsigned long)(i + 1); return 0; }

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
  memory->total = 80000;
  memory->used = 1000 * (unsigned long)device;
  memory->free = memory->total - memory->used;
  return 0;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilization *rates) {
  if (device == (void *)2) return NOT_SUPPORTED;
  rates->gpu = 25;
  rates->memory = 10;
  return 0;
}
