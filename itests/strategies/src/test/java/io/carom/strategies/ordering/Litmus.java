package io.carom.strategies.ordering;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A small model checker for a weak memory model: searches every execution of a few threads of a few
 * operations each.
 *
 * <p><b>The model.</b> There is one memory. A thread does its operations in any order that keeps
 * what {@link Op#before} demands; all others may pass each other, which is what store buffers
 * (stores that are delayed, and pass one another), speculation (loads that are early) and compilers
 * do. So a plain store may pass a store with release that is before it in the program: release
 * holds back what is <em>earlier</em>, never what is later. An operation that is both acquire and
 * release is passed by nothing, as a compare-and-set is. A load whose address is computed from what
 * another load read comes after it, with no fence, on all processors that Java runs on.
 *
 * <p>Variables begin at 0. A state is what each thread has done, the memory and the registers; each
 * is visited once.
 */
final class Litmus {
  private final List<Program> threads = new ArrayList<>();
  private final Map<String, Integer> initial = new HashMap<>();

  Litmus() {}

  /** A variable that does not begin at 0. */
  Litmus initially(final String variable, final int value) {
    initial.put(variable, value);
    return this;
  }

  /** One more thread, whose operations follow in program order. */
  Program thread(final String name) {
    final Program made = new Program(name);
    threads.add(made);
    return made;
  }

  /** A thread's program. */
  static final class Program {
    private final String name;
    private final List<Op> ops = new ArrayList<>();

    private Program(final String name) {
      this.name = name;
    }

    private Program add(
        final Op.Kind kind,
        final String variable,
        final int value,
        final String register,
        final boolean acquire,
        final boolean release,
        final @Nullable String after,
        final @Nullable String onlyIf) {
      ops.add(new Op(kind, variable, value, register, acquire, release, after, onlyIf));
      return this;
    }

    /** A plain store of 1. */
    Program store(final String variable) {
      return add(Op.Kind.STORE, variable, 1, "", false, false, null, null);
    }

    /** A store of 1 with release. */
    Program storeRelease(final String variable) {
      return add(Op.Kind.STORE, variable, 1, "", false, true, null, null);
    }

    /** A plain load. */
    Program load(final String variable, final String register) {
      return add(Op.Kind.LOAD, variable, 0, register, false, false, null, null);
    }

    /** A load with acquire. */
    Program loadAcquire(final String variable, final String register) {
      return add(Op.Kind.LOAD, variable, 0, register, true, false, null, null);
    }

    /** A load with acquire at an address that was computed from a register. */
    Program loadAcquireAt(final String variable, final String after, final String register) {
      return add(Op.Kind.LOAD, variable, 0, register, true, false, after, null);
    }

    /** Takes a lock, as spin_lock does: acquire. */
    Program spinLock(final String variable) {
      return add(Op.Kind.LOCK, variable, 1, "", true, false, null, null);
    }

    /** Takes a lock if a register is not 0. */
    Program spinLockIf(final String variable, final String register) {
      return add(Op.Kind.LOCK, variable, 1, "", true, false, null, register);
    }

    /** Takes a lock by compare-and-set, which is acquire and release. */
    Program casLock(final String variable) {
      return add(Op.Kind.LOCK, variable, 1, "", true, true, null, null);
    }

    /** Leaves a lock: a store with release. */
    Program unlock(final String variable) {
      return add(Op.Kind.STORE, variable, 0, "", false, true, null, null);
    }

    /** Leaves a lock if a register is not 0. */
    Program unlockIf(final String variable, final String register) {
      return add(Op.Kind.STORE, variable, 0, "", false, true, null, register);
    }

    /** {@code smp_wmb}, {@code VarHandle.storeStoreFence}. */
    Program storeFence() {
      return add(Op.Kind.STORE_FENCE, "", 0, "", false, false, null, null);
    }

    /** {@code smp_rmb}, {@code VarHandle.loadLoadFence}. */
    Program loadFence() {
      return add(Op.Kind.LOAD_FENCE, "", 0, "", false, false, null, null);
    }
  }

  /** Where an execution stands. */
  private record State(List<Integer> done, Map<String, Integer> memory, Map<String, Integer> regs) {
    int register(final String name) {
      return regs.getOrDefault(name, 0);
    }
  }

  /** A state, and how it came about. */
  private record Node(State state, @Nullable Node parent, String step) {
    List<String> path() {
      final Deque<String> steps = new ArrayDeque<>();
      for (Node node = this; node.parent != null; node = node.parent) {
        steps.addFirst(node.step);
      }
      return List.copyOf(steps);
    }
  }

  /**
   * Searches for an end that must not be.
   *
   * @param forbidden is asked for the registers of each end
   * @return the shortest execution that leads to one, step by step; empty when there is none
   * @throws IllegalStateException when an execution gets stuck: the test is wrong
   */
  List<String> find(final Predicate<Map<String, Integer>> forbidden) {
    final Set<State> seen = new HashSet<>();
    final Deque<Node> open = new ArrayDeque<>();
    final Integer[] nothing = new Integer[threads.size()];
    Arrays.fill(nothing, 0);
    open.add(new Node(new State(List.of(nothing), Map.copyOf(initial), Map.of()), null, ""));
    while (!open.isEmpty()) {
      final Node node = open.removeFirst();
      if (!seen.add(node.state)) {
        continue;
      }
      final List<Node> next = successors(node);
      open.addAll(next);
      if (next.isEmpty()) {
        if (!ended(node.state)) {
          throw new IllegalStateException("stuck after " + node.path());
        }
        if (forbidden.test(node.state.regs)) {
          return node.path();
        }
      }
    }
    return List.of();
  }

  private boolean ended(final State state) {
    for (int t = 0; t < threads.size(); t++) {
      if (state.done.get(t) != (1 << threads.get(t).ops.size()) - 1) {
        return false;
      }
    }
    return true;
  }

  private List<Node> successors(final Node node) {
    final List<Node> result = new ArrayList<>();
    for (int t = 0; t < threads.size(); t++) {
      final List<Op> ops = threads.get(t).ops;
      for (int i = 0; i < ops.size(); i++) {
        if (ready(node.state, ops, node.state.done.get(t), i)) {
          final List<Integer> done = new ArrayList<>(node.state.done);
          done.set(t, done.get(t) | 1 << i);
          result.add(
              new Node(
                  step(node.state, ops.get(i), List.copyOf(done)),
                  node,
                  threads.get(t).name + ": " + ops.get(i)));
        }
      }
    }
    return result;
  }

  private static boolean ready(
      final State state, final List<Op> ops, final int done, final int index) {
    if ((done >> index & 1) != 0) {
      return false;
    }
    final Op op = ops.get(index);
    for (int i = 0; i < index; i++) {
      if ((done >> i & 1) == 0 && ops.get(i).before(op)) {
        return false;
      }
    }
    return op.kind() != Op.Kind.LOCK
        || skipped(state, op)
        || state.memory.getOrDefault(op.variable(), 0) == 0;
  }

  private static boolean skipped(final State state, final Op op) {
    return op.onlyIf() != null && state.register(op.onlyIf()) == 0;
  }

  private static State step(final State state, final Op op, final List<Integer> done) {
    if (skipped(state, op)) {
      return new State(done, state.memory, state.regs);
    }
    return switch (op.kind()) {
      case LOAD ->
          new State(
              done,
              state.memory,
              with(state.regs, op.register(), state.memory.getOrDefault(op.variable(), 0)));
      case STORE, LOCK ->
          new State(done, with(state.memory, op.variable(), op.value()), state.regs);
      case STORE_FENCE, LOAD_FENCE -> new State(done, state.memory, state.regs);
    };
  }

  private static Map<String, Integer> with(
      final Map<String, Integer> map, final String key, final int value) {
    final Map<String, Integer> next = new HashMap<>(map);
    next.put(key, value);
    return Map.copyOf(next);
  }
}
