// Package bank has the pages of bank accounts: their files, the matching of their lines, rules, and the proof of each month.
package bank
