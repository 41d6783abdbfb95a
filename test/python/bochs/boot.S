# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The first sector of a disk: what a BIOS starts in real mode turns on long mode
# and AVX-512, reads the program that follows on the disk, and becomes it.
# Interrupts stay off, and without handlers: an illegal instruction is the end.

  .section .boot, "ax", @progbits
  .code16
  .globl boot
boot:
  cli
  xorw %ax, %ax
  movw %ax, %ds
  # The address line 20, which a PC starts without.
  inb $0x92, %al
  orb $2, %al
  outb %al, $0x92
  # Two pages of page tables: the first GiB is itself, as one page.
  movl $0x1000, %edi
  movl %edi, %cr3
  xorl %eax, %eax
  movw %ax, %es
  movl $0x800, %ecx
  cld
  rep stosl
  movl $0x2003, 0x1000
  movl $0x83, 0x2000
  movl $0x40620, %eax           # CR4: OSXSAVE, OSXMMEXCPT, OSFXSR, PAE.
  movl %eax, %cr4
  movl $0xc0000080, %ecx        # EFER: long mode.
  rdmsr
  orl $0x100, %eax
  wrmsr
  lgdt table_of_segments
  movl $0x80000001, %eax        # CR0: paging, protection.
  movl %eax, %cr0
  ljmp $8, $long_mode

  .code64
long_mode:
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $stack_top, %esp
  xorl %ecx, %ecx
  xgetbv
  orb $0xe7, %al                # XCR0: x87, SSE, AVX and the three of AVX-512.
  xsetbv
  # The program's sectors, one command each.
  movl $program_start, %edi
  movl $program_sector, %ebx
read:
  movl $0x1f2, %edx             # Count, three bytes of the number, drive, command.
  movb $1, %al
  outb %al, %dx
  movl %ebx, %eax
number:
  incl %edx
  outb %al, %dx
  shrl $8, %eax
  cmpl $0x1f5, %edx
  jne number
  incl %edx
  movb $0xe0, %al
  outb %al, %dx
  incl %edx
  movb $0x20, %al
  outb %al, %dx
wait:
  inb %dx, %al                  # Not busy, and data there.
  andb $0x88, %al
  cmpb $8, %al
  jne wait
  movl $0x1f0, %edx
  movl $256, %ecx
  rep insw
  incl %ebx
  cmpl $head_sector, %ebx
  jne read
  # Memory that starts as zeros.
  movl $zeros_start, %edi
  movl $zeros_size, %ecx
  xorl %eax, %eax
  rep stosb
  call _start

  .balign 8
segments:
  .quad 0, 0x00209a0000000000, 0x0000920000000000
table_of_segments:
  .word . - segments - 1
  .long segments

  .org 510
  .word 0xaa55
