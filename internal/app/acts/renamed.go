package acts

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// OldNames are names of commands that are accepted for one more release, by their new names.
var OldNames = map[string]string{"stripe events": "events", "event-mode": "event"}

// Renamed returns the command under the name that it had before. It is hidden from the help, and warns on standard
// error when it runs.
func Renamed(c *cobra.Command, newName string) *cobra.Command {
	c.Use, c.Hidden = OldNames[newName], true
	for _, below := range c.Commands() {
		below.PreRun = func(run *cobra.Command, _ []string) {
			fmt.Fprintf(os.Stderr, "konbit: warning: konbit %s is now called konbit %s; the old name will be removed\n", c.Use, newName)
		}
	}
	return c
}
