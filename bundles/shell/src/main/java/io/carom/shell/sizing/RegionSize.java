package io.carom.shell.sizing;

/**
 * Of {@code swiotlb:size}: the question and both answers.
 *
 * @param queues queues, of a network device pairs of them
 * @param queueSizeEntries ring entries of a queue
 * @param depth requests in flight on each queue
 * @param requestsInFlight requests in flight on all queues
 * @param requestBytes largest request
 * @param minAlignBytes alignment that the bounce keeps
 * @param segments pieces of the largest request's data
 * @param indirect whether indirect tables are used
 * @param net whether it is a network device
 * @param slots the answer in slots of 2 KiB
 * @param pages the answer in pages
 */
public record RegionSize(
    int queues,
    int queueSizeEntries,
    int depth,
    long requestsInFlight,
    long requestBytes,
    long minAlignBytes,
    int segments,
    boolean indirect,
    boolean net,
    SlotAnswer slots,
    PageAnswer pages) {}
