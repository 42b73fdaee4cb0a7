/*
 * Words that stand for what nobody has written: NaN, and large whole numbers, of a payload that no test's
 * data has. The harness puts them where a test gives no contents, and around tensors; under oclgrind
 * (oclgrind_layer.c) they count as uninitialised memory.
 */
#ifndef UNWRITTEN_H
#define UNWRITTEN_H

#define UNWRITTEN 0x7fdb0000u
#define UNWRITTEN_MASK 0xffff0000u

#endif
