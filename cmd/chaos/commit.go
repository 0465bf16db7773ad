package main

import (
	"os/exec"
	"strings"
)

// commit names what is run, with "-dirty" after it when files differ from it: a seed tells the same story at the same commit only.
func commit() string {
	said, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--match", "").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(said))
}
