/** The main job: every strategy on real devices, swapped under load, every byte checked. */
@NullMarked
package io.carom.shell.demo;

import org.jspecify.annotations.NullMarked;
