/**
 * Tests of the built distribution. Three ways to it: {@link ContainerTest} is inside the container
 * and has its services, {@link Harness} has a container of its own whose bundles it may stop,
 * update and refresh, {@link Script} starts the program as users do. {@link GuestKit} works on the
 * first two: it plugs disks, puts load on them and reads counters, all through the commands.
 */
@org.jspecify.annotations.NullMarked
package io.carom.itests;
