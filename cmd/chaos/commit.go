package main

import (
	"os/exec"
	"strings"
)

// commit returns the commit of the source, with "-dirty" appended if files differ from it. A seed gives the same run
// only at the same commit.
func commit() string {
	said, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--match", "").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(said))
}
