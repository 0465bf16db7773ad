// Command konbit is the whole program: the web server, its background workers, and the commands that operate it.
//
//	main.go        exit statuses, the list of commands
//	config.go      settings from the environment and .env
//	serve.go       konbit serve, konbit work
//	doctor.go      konbit doctor; internal/app/doctor has the checks
//	office.go      what commands of finance staff share
//	others         one file for each command
//
// Exit status: 0 success, 1 failure, 2 wrong use.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // legal entities have time zones, and small servers often lack the data

	"github.com/spf13/cobra"

	"konbit/cmd/konbit/staffcmd"
	"konbit/internal/app"
	"konbit/internal/app/acts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:]))
}

// errUse marks an error as wrong use of a command: exit status 2.
var errUse = errors.New("wrong use")

// run runs the command that args name and returns the exit status.
func run(ctx context.Context, args []string) int {
	root := commands()
	root.SetArgs(args)
	acts.Record(root, acts.OldNames, func() *slog.Logger {
		config, _ := loadConfig() // what is wrong with other settings says the command
		return config.logger()
	})
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !started || errors.Is(err, errUse):
		fmt.Fprintf(os.Stderr, "konbit: %s\nkonbit --help lists the commands.\n", app.ErrorText(err))
		return 2
	default:
		fmt.Fprintf(os.Stderr, "konbit: %s\n", app.ErrorText(err))
		return 1
	}
}

func commands() *cobra.Command {
	root := &cobra.Command{
		Use: "konbit", Short: "Donations, fund accounting and grants for movement organisations",
		SilenceUsage: true, SilenceErrors: true, Version: app.Version(),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(serveCommand(), workCommand(), migrateCommand(), applyCommand(), doctorCommand(),
		ledgerCommand(), exportCommand(), stripeCommand(), tasksCommand(), paymentsCommand(), refundsCommand(),
		group("payout", "Payouts from Stripe to the bank", finance().Compare()),
		group("import", "Files of other programs and of banks", finance().ImportBank(), finance().ImportGifts()),
		group("bank", "Bank accounts", finance().BankProof()),
		group("staff", "The people who work in the office: accounts, roles, lost phones",
			staffcmd.Program{Open: openForStaff, ErrUse: errUse, Words: officeWords, PrintJSON: printJSON}.Commands()...),
		receiptCommand(), statementsCommand(), donorCommand(), erasuresCommand(), keysCommand(), eventModeCommand(),
		acts.Renamed(stripeEventsCommand(), "stripe events"), acts.Renamed(eventModeCommand(), "event-mode"))
	return root
}

// exactly requires one argument; name is used in the error.
func exactly(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: %s needs one %s: %s", errUse, c.CommandPath(), name, c.UseLine())
		}
		return nil
	}
}

// group returns a command that only has subcommands.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: %s has no command %q", errUse, c.CommandPath(), args[0])
		}
		return fmt.Errorf("%w: %s needs a command: %[2]s --help", errUse, c.CommandPath())
	}}
	c.AddCommand(below...)
	return c
}
