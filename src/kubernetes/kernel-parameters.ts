/**
 * What every kubelet sets for the whole kernel, whatever namespaces it runs in: `setupKernelTunables` in pkg/kubelet/cm.
 * Names as in /proc/sys.
 */
export const SET_BY_KUBELET = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]
