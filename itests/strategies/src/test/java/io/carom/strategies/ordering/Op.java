package io.carom.strategies.ordering;

import org.jspecify.annotations.Nullable;

/**
 * One memory operation of a thread in a {@link Litmus} test.
 *
 * @param kind what it does
 * @param variable what it touches; empty for a fence
 * @param value what a store writes
 * @param register where a load puts what it read
 * @param acquire nothing behind it in the program is done before it
 * @param release nothing before it in the program is done after it
 * @param after register that its address is computed from, or null
 * @param onlyIf register that must not be 0 for it to be done at all, or null
 */
record Op(
    Kind kind,
    String variable,
    int value,
    String register,
    boolean acquire,
    boolean release,
    @Nullable String after,
    @Nullable String onlyIf) {
  /** What an operation does. */
  enum Kind {
    LOAD,
    STORE,
    /** Waits until the variable is 0 and makes it 1, in one step. */
    LOCK,
    /** Keeps stores before it before stores behind it. */
    STORE_FENCE,
    /** Keeps loads before it before loads behind it. */
    LOAD_FENCE
  }

  private boolean reads() {
    return kind == Kind.LOAD || kind == Kind.LOCK;
  }

  private boolean writes() {
    return kind == Kind.STORE || kind == Kind.LOCK;
  }

  /** Whether this one, which is earlier in the program, must be done before a later one. */
  boolean before(final Op later) {
    return acquire
        || later.release
        || (kind == Kind.LOAD && (register.equals(later.after) || register.equals(later.onlyIf)))
        || (!variable.isEmpty() && variable.equals(later.variable))
        || (later.kind == Kind.STORE_FENCE && writes())
        || (kind == Kind.STORE_FENCE && later.writes())
        || (later.kind == Kind.LOAD_FENCE && reads())
        || (kind == Kind.LOAD_FENCE && later.reads());
  }

  @Override
  public String toString() {
    final String order = (acquire ? ".acquire" : "") + (release ? ".release" : "");
    return switch (kind) {
      case LOAD -> register + " = load" + order + " " + variable;
      case STORE -> "store" + order + " " + variable + " = " + value;
      case LOCK -> "lock" + order + " " + variable;
      case STORE_FENCE -> "store fence";
      case LOAD_FENCE -> "load fence";
    };
  }
}
