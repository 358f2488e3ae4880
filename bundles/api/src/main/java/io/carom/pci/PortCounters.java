package io.carom.pci;

/**
 * DMA accesses of one function since it was plugged. One access is one resolved run of bytes, or
 * one section in which an already resolved ring was used.
 *
 * @param ownRegion accesses to the function's own SWIOTLB range
 * @param systemMemory accesses to guest RAM
 * @param faulted accesses refused
 * @param messages interrupts sent
 */
public record PortCounters(long ownRegion, long systemMemory, long faulted, long messages) {}
