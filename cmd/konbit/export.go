package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func exportCommand() *cobra.Command {
	return group("export", "Hand data out in others' formats")
}

var _ = fmt.Sprint
