/** Where the parts of the load balancer lie on a master. */

/** Both Pods see this folder under the same path. */
export const DIRECTORY = '/etc/edgeadm/load-balancer'
export const KEEPALIVED_CONF = `${DIRECTORY}/keepalived.conf`
export const PODS = {
  haproxy: '/etc/kubernetes/manifests/haproxy.yaml',
  keepalived: '/etc/kubernetes/manifests/keepalived.yaml',
} as const
export const SCRIPT = '/usr/local/lib/edgeadm/follow-masters'
export const SERVICE = 'edgeadm-load-balancer.service'
/** On loopback: haproxy's health, asked by keepalived, and its statistics. */
export const HEALTH_PORT = 8404
export const CONFIG_MAP = 'edgeadm-load-balancer'
