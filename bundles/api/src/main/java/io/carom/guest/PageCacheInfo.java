package io.carom.guest;

/**
 * The page cache at a moment, in pages of 4 KiB; counters since it was started.
 *
 * @param pages pages whose content is cached now
 * @param borrowedPages those of them that lie in lent memory
 * @param hits page lookups of reads that were answered from memory
 * @param misses page lookups of reads that went to the disk
 * @param migrated pages moved because the owner of their memory wanted it back
 * @param dropped pages dropped for the same reason: no other memory was free
 */
public record PageCacheInfo(
    long pages, long borrowedPages, long hits, long misses, long migrated, long dropped) {}
