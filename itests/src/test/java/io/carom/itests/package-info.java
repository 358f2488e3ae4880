/** Tests of the built distribution. */
@org.jspecify.annotations.NullMarked
package io.carom.itests;
