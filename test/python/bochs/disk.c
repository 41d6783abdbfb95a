/* Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
   See LICENSE for license information.
   SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

   The system calls of a program without a system: its input and its output lie
   on the disk, behind the program, after a sector that tells their sizes. */

/* From the linker: an address that is a number. */
extern char head_sector[];

static void out_byte(unsigned short port, unsigned char value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}
static unsigned char in_byte(unsigned short port) {
  unsigned char value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
  return value;
}

/* Moves a sector by the ports of the first ATA drive. */
static void move_sector(unsigned number, void *bytes, int is_write) {
  unsigned long words = 256;
  out_byte(0x1f2, 1);
  out_byte(0x1f3, number);
  out_byte(0x1f4, number >> 8);
  out_byte(0x1f5, number >> 16);
  out_byte(0x1f6, 0xe0 | number >> 24);
  out_byte(0x1f7, is_write ? 0x30 : 0x20);
  while ((in_byte(0x1f7) & 0x88) != 0x08)
    ;
  if (is_write)
    __asm__ volatile("rep outsw" : "+S"(bytes), "+c"(words) : "d"(0x1f0) : "memory");
  else
    __asm__ volatile("rep insw" : "+D"(bytes), "+c"(words) : "d"(0x1f0) : "memory");
  while (in_byte(0x1f7) & 0x80)
    ;
}

/* What bochs_machine.py writes, and the end of the program completes. */
static union {
  struct {
    unsigned long input_size, output_size, has_ended, code;
  };
  char bytes[512];
} head;
static char input[512], output[512];
static unsigned long taken, given;

static unsigned input_sector(void) { return (unsigned)(unsigned long)head_sector + 1; }
static unsigned output_sector(void) {
  return input_sector() + (unsigned)((head.input_size + 511) / 512);
}

static long read_bytes(char *bytes, long size) {
  long done = 0;
  if (head.input_size == 0)
    move_sector(input_sector() - 1, &head, 0);
  for (; done < size && taken < head.input_size; ++done, ++taken) {
    if (taken % 512 == 0)
      move_sector(input_sector() + taken / 512, input, 0);
    bytes[done] = input[taken % 512];
  }
  return done;
}

static long write_bytes(const char *bytes, long size) {
  for (long done = 0; done < size; ++done) {
    output[given++ % 512] = bytes[done];
    if (given % 512 == 0)
      move_sector(output_sector() + given / 512 - 1, output, 1);
  }
  return size;
}

static void end(long code) {
  if (given % 512 != 0)
    move_sector(output_sector() + given / 512, output, 1);
  head.output_size = given;
  head.has_ended = 1;
  head.code = code;
  move_sector(input_sector() - 1, &head, 1);
  /* Bochs takes this for the power switch. */
  for (const char *word = "Shutdown"; *word; ++word)
    out_byte(0x8900, *word);
  for (;;)
    ;
}

/* By the numbers that Linux has on most machines. */
static long call(long number, long a, long b, long c) {
  if (number == 63)
    return read_bytes((char *)b, c);
  if (number == 64)
    return write_bytes((const char *)b, c);
  end(a);
  return 0;
}
