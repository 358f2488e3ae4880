package io.carom.guest.shim.cache;

import io.carom.guest.BlockDevice;
import io.carom.guest.PageAllocator;
import io.carom.guest.PageCache;
import io.carom.guest.PageCacheInfo;
import io.carom.guest.shim.block.WatchedDisk;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageLender;
import io.carom.memory.PhysicalLayout;
import java.util.IdentityHashMap;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest's page cache.
 *
 * <p>What is lent lies in bounce memory, which the host can read and write. A confidential guest
 * keeps its disks' plain content in private pages, so there the cache borrows nothing.
 */
@Component(
    service = {PageCache.class, BufferedDisks.class},
    immediate = true,
    configurationPid = PageCacheComponent.PID)
@Designate(ocd = PageCacheComponent.Config.class)
public final class PageCacheComponent implements PageCache, BufferedDisks {
  /** Its configuration. */
  public static final String PID = "io.carom.guest.pagecache";

  private static final Logger LOG = LoggerFactory.getLogger(PageCacheComponent.class);
  private static final int DEFAULT_MIB = 4;
  private static final int MOST_MIB = 1 << 20;
  private static final long PAGES_PER_MIB = (1 << 20) / PhysicalLayout.PAGE_SIZE;
  private static final long WAIT_NS = TimeUnit.SECONDS.toNanos(5);

  private final GuestMemory memory;
  private final PageStore store;
  private final IdentityHashMap<BlockDevice, DiskPages> disks = new IdentityHashMap<>();

  /** How much it may hold. */
  @ObjectClassDefinition(name = "Carom page cache")
  public @interface Config {
    /** Most memory of its own. */
    @AttributeDefinition(
        name = "Own pages in MiB",
        description =
            "Most memory that the page cache allocates for itself; memory that is lent to it comes"
                + " on top. 0: it caches in lent memory only",
        min = "0",
        max = "1048576")
    int pageCacheMiB() default DEFAULT_MIB;
  }

  /** In the container. */
  @Activate
  public PageCacheComponent(
      @Reference final PageAllocator pages,
      @Reference final GuestMemory memory,
      final Config config) {
    this(pages, memory, ceiling(config));
  }

  /** With a ceiling in pages. */
  PageCacheComponent(final PageAllocator pages, final GuestMemory memory, final long ceilingPages) {
    this.memory = memory;
    this.store = new PageStore(new Frames(pages, memory, ceilingPages));
  }

  private static long ceiling(final Config config) {
    final int mib = config.pageCacheMiB();
    if (mib < 0 || mib > MOST_MIB) {
      throw new IllegalArgumentException(
          PID + ": pageCacheMiB=" + mib + " is not between 0 and " + MOST_MIB);
    }
    return mib * PAGES_PER_MIB;
  }

  @Modified
  void modified(final Config config) {
    try {
      ceiling(ceiling(config));
    } catch (final IllegalArgumentException e) {
      LOG.error("configuration unchanged: {}", e.getMessage());
    }
  }

  /** Another ceiling of its own pages. */
  void ceiling(final long pages) {
    store.ceiling(pages);
  }

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void bindLender(final PageLender lender) {
    if (!memory.confidential()) {
      store.lender(lender, WAIT_NS);
    }
  }

  void unbindLender(final PageLender lender) {
    store.noLender(lender, WAIT_NS); // a replacement may have taken its place already
  }

  /** Drops all pages, and gives back what it allocated and borrowed. */
  @Deactivate
  public void close() {
    if (!store.close(WAIT_NS)) {
      LOG.warn("reads of the disk into the page cache have not ended; their pages follow then");
    }
  }

  @Override
  public PageCacheInfo info() {
    return store.info();
  }

  @Override
  public BlockDevice buffered(final BlockDevice disk) {
    return new BufferedDisk(disk, pages(disk), store, memory);
  }

  private synchronized DiskPages pages(final BlockDevice disk) {
    disks
        .entrySet()
        .removeIf(
            known -> {
              final boolean dead = !known.getKey().live();
              if (dead) {
                known.getValue().ended();
              }
              return dead;
            });
    final DiskPages known = disks.get(disk);
    if (known != null) {
      return known;
    }
    final DiskPages made = new DiskPages(store);
    if (disk instanceof final WatchedDisk watched) {
      watched.watch().watch(made);
    }
    if (disk.live()) { // asked after watching: an end is seen here or told there
      disks.put(disk, made);
    } else {
      made.ended();
    }
    return made;
  }
}
