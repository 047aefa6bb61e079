import { describe, expect, it } from 'vitest'
import { swap, withoutSwap } from '../../../src/phases/node/swap.ts'
import { originOf } from '../../../src/phases/node/swap-units.ts'
import { checkSysctl, sysctl } from '../../../src/phases/node/sysctl.ts'
import { initOn, joinOn, machine, texts } from './machine.ts'

describe('swap at the next boot', () => {
  it('from fstab, whose last three fields may be left out', () => {
    const fstab =
      '/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 none swap\n/swap none swap sw 0 0\n# /dev/x none swap sw\n'
    expect(withoutSwap(fstab)).toBe(
      '/dev/sda1 / ext4 defaults 0 1\n# edgeadm: /dev/sda2 none swap\n# edgeadm: /swap none swap sw 0 0\n# /dev/x none swap sw\n',
    )
  })

  it.each([
    [
      'zram-generator or a GPT partition',
      '/run/systemd/generator/dev-zram0.swap',
      '',
      'generated',
      'generator',
    ],
    ['a unit of the administrator', '/etc/systemd/system/swapfile.swap', '', 'enabled', 'unit'],
    ['a unit that is not enabled', '/etc/systemd/system/swapfile.swap', '', 'disabled', undefined],
    ['a line of fstab', '/run/systemd/generator/dev-sda2.swap', '/etc/fstab', 'generated', undefined],
    ['swapon by hand', '', '', '', undefined],
  ])('%s', (_, fragment, source, state, by) =>
    expect(
      originOf(`FragmentPath=${fragment}\nSourcePath=${source}\nUnitFileState=${state}\nLoadState=loaded\n`),
    ).toBe(by),
  )

  it('does not come: services are disabled, what generators make is masked', async () => {
    const on = machine({
      'systemctl is-enabled dphys-swapfile.service': 'enabled',
      'systemctl list-units --type=swap':
        'dev-zram0.swap loaded active active Compressed Swap on /dev/zram0\n',
      'systemctl show': 'FragmentPath=/run/systemd/generator/dev-zram0.swap\nLoadState=loaded\n',
    })
    await on.put('/proc/swaps', 'Filename Type Size Used Priority\n')
    await on.put('/etc/fstab', '')
    const ctx = initOn(on)
    expect(await swap.runIf?.(ctx)).toBe(true)
    await swap.run(ctx)
    expect((await ctx.host.stat('/etc/systemd/system/dev-zram0.swap'))?.type).toBe('symlink')
  })
})

describe('kernel parameters', () => {
  const hardened =
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nprotectKernelDefaults: true\n'

  it('files that are read later are named, earlier ones are not', async () => {
    const on = machine()
    await on.put('/etc/sysctl.d/99-sysctl.conf', 'net.ipv4.ip_forward=0\n')
    await on.put('/usr/lib/sysctl.d/99-zzz.conf', '# comment\n-net/ipv4/ip_forward = 0\nkernel.panic=3\n')
    expect(texts(await checkSysctl(initOn(on)))).toEqual([
      "error Sysctl: /usr/lib/sysctl.d/99-zzz.conf sets net.ipv4.ip_forward to 0 at boot, after edgeadm's own file, and this node needs 1: take the line out",
    ])
    expect(texts(await checkSysctl(initOn(on, {}, hardened))).join()).toContain('kernel.panic to 3')
  })

  it("a kubelet that may not set the kernel's defaults finds them set", () => {
    expect(sysctl.inputs?.(initOn(machine(), {}, hardened))).toMatchObject({
      'vm.overcommit_memory': '1',
      'kernel.panic': '10',
    })
    expect(sysctl.inputs?.(initOn(machine()))).not.toHaveProperty('kernel.panic')
  })

  it('IPv6 is forwarded on a worker whose API server has an IPv6 address', () => {
    const ctx = joinOn(machine())
    expect(sysctl.inputs?.(ctx)).not.toHaveProperty('net.ipv6.conf.default.forwarding')
    const discovery = { ...ctx.settings.discovery, endpoint: '[fd00::1]:6443' }
    const settings = { ...ctx.settings, discovery } as typeof ctx.settings
    expect(sysctl.inputs?.({ ...ctx, settings })).toHaveProperty('net.ipv6.conf.default.forwarding')
  })
})
