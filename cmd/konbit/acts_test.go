package main

import (
	"bytes"
	"log/slog"
	"os/user"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"konbit/internal/app/acts"
	"konbit/internal/workshop/testkit/program"
)

// TestEveryCommandSaysWhetherItIsRecorded walks the table of commands, those under their old names too.
func TestEveryCommandSaysWhetherItIsRecorded(t *testing.T) {
	require.Empty(t, acts.Check(commands(), acts.OldNames))
	few := commands()
	few.RemoveCommand(few.Commands()[0])
	require.NotEmpty(t, acts.Check(few, acts.OldNames), "a command that the lists name is missing")
	more := commands()
	more.AddCommand(group("gift", "", &cobra.Command{Use: "move", Run: func(*cobra.Command, []string) {}}))
	require.Len(t, acts.Check(more, acts.OldNames), 1, "the lists do not name a command")
}

// TestCommandsWriteToTheSecurityLog: the entry says who ran which command and how it ended, and has no argument.
func TestCommandsWriteToTheSecurityLog(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	me, err := user.Current()
	require.NoError(t, err)
	run := func(args ...string) (entry string, err error) {
		var log, out bytes.Buffer
		root := commands()
		acts.Record(root, acts.OldNames, func() *slog.Logger { return slog.New(slog.NewTextHandler(&log, nil)) })
		root.SetArgs(args)
		root.SetOut(&out)
		err = root.ExecuteContext(t.Context())
		_, entry, _ = strings.Cut(log.String(), " ") // without the time
		return entry, err
	}
	entry, err := run("receipt", "find", "ana@example.org")
	require.NoError(t, err)
	require.Equal(t, `level=INFO msg=security event=command_done command="receipt find" operator=`+me.Username+"\n", entry)
	entry, err = run("donor", "sign-out", "nobody@example.org")
	require.Error(t, err)
	require.Equal(t, `level=WARN msg=security event=command_failed command="donor sign-out" operator=`+me.Username+"\n", entry)
	entry, err = run("event", "close", "not-a-pass")
	require.Error(t, err)
	require.Contains(t, entry, `command="event-mode close"`, "under its old name")
	entry, err = run("tasks", "list")
	require.NoError(t, err)
	require.Empty(t, entry)
}
