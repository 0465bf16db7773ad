// Command konbit is the whole program: the web server, its workers, and the commands that look after it.
//
// Exit status: 0 done, 1 failed, 2 wrong use.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // entities live in time zones, and small servers often lack the data

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait
	os.Exit(run(ctx, os.Args[1:]))
}

// errUse marks wrong use, as against failure.
var errUse = errors.New("wrong use")

// run is main with its exit status.
func run(ctx context.Context, args []string) int {
	root := commands()
	root.SetArgs(args)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !began || errors.Is(err, errUse):
		fmt.Fprintf(os.Stderr, "konbit: %s\nkonbit --help lists the commands.\n", spoken(err))
		return 2
	default:
		fmt.Fprintf(os.Stderr, "konbit: %s\n", spoken(err))
		return 1
	}
}

func commands() *cobra.Command {
	root := &cobra.Command{
		Use: "konbit", Short: "Gifts, fund accounting and grants for movement organisations",
		SilenceUsage: true, SilenceErrors: true, Version: version(),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(serveCommand(), workCommand(), migrateCommand(), applyCommand(), ledgerCommand(), exportCommand(), eventCommand(), receiptCommand(), donorCommand(), doctorCommand(),
		eventsCommand(), stripeCommand(), tasksCommand(), statementsCommand(), erasuresCommand())
	return root
}

// version names the source this program was built from, as far as Go's tool knew it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version + " " + info.GoVersion
}

// exactly asks for one argument, which it names.
func exactly(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: %s needs one %s: %s", errUse, c.CommandPath(), what, c.UseLine())
		}
		return nil
	}
}

// group is a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: konbit %s has no command %q", errUse, use, args[0])
		}
		return fmt.Errorf("%w: konbit %s needs a command: konbit %[2]s --help", errUse, use)
	}}
	c.AddCommand(below...)
	return c
}
