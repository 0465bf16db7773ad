// Package bank runs random acts on a bank account and compares what is stored with what it counted itself, after each.
package bank
