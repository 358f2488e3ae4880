package io.carom.shell.result;

/** The full usage of a command. */
public record Usage(String usage) {}
