package io.carom.machine.port;

/**
 * A cache line between a session's words, written by its thread in every section, and whatever the
 * heap puts before them, such as another thread's session. Padding of a superclass stays in front.
 */
@SuppressWarnings("unused")
abstract class SectionPadding {
  long p0;
  long p1;
  long p2;
  long p3;
  long p4;
  long p5;
  long p6;
  long p7;
}
