package mail_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/email"
	"konbit/internal/workshop/mailcatch"
)

// hostilePieces are pieces of names, subjects and addresses with which mail headers have been attacked.
var hostilePieces = []string{
	"Ana", "Pérez", " ", "\r\n", "\n", "\r", "\r\nBcc: x@evil.example", "\nRCPT TO:<x@evil.example>\r\n", `"`, `\`, "<", ">", ",", ";", ":", "(", ")",
	"@", "x@evil.example", "> ORCPT=x@y", "\x00", "\t", "\u2028", "😀", "王小明", "<recipient@konbit.invalid>", "=?utf-8?q?=0d=0aBcc:_x@evil.example?=", "\r\n.\r\n", "'", "%0d%0a",
	strings.Repeat("long ", 40), "ana@example.org", ".", "-", "+", "@example.org",
}

func hostileText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(5) {
		b.WriteString(hostilePieces[r.IntN(len(hostilePieces))])
	}
	return b.String()
}

// TestT14HostileTextAddsNoHeaderOrRecipient: names, subjects and addresses may contain any text. An email has one
// recipient and its own header fields, or Compose reports an error.
func TestT14HostileTextAddsNoHeaderOrRecipient(t *testing.T) {
	const tries, senders = 10_000, 4
	server := catcher(t)
	by, err := transport.New(server.SMTPURL(), "", senders)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	fields := []string{"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "List-Id", "Message-Id", "Mime-Version", "Subject", "To"}
	var running sync.WaitGroup
	for worker := range senders {
		running.Go(func() {
			r := rand.New(rand.NewPCG(14, uint64(worker)))
			for range tries / senders {
				l := exampleEmails()["en"]
				l.ID, l.Text, l.HTML, l.Document = uuid.New(), hostileText(r), "<p>x</p>", nil
				l.ToName, l.Subject, l.Date = hostileText(r), hostileText(r), time.Unix(1_800_000_000, 0)
				if r.IntN(2) == 0 {
					l.To = hostileText(r)
				}
				message, err := mail.Compose(l, nil)
				if err != nil {
					if email.CheckPlain(l.To) == nil {
						t.Errorf("no email for %q <%s>: %v", l.ToName, l.To, err)
					}
					continue
				}
				if seen := fieldsOf(message); !slices.Equal(fields, seen) {
					t.Errorf("%q <%s> about %q: %v", l.ToName, l.To, l.Subject, seen)
				}
				if _, err := by.Send(t.Context(), l.From, l.To, message); err != nil {
					t.Errorf("%s: %v", l.To, err)
				}
			}
		})
	}
	running.Wait()
	sent := server.Messages()
	require.Greater(t, len(sent), tries/2)
	for _, m := range sent {
		require.NoError(t, email.CheckPlain(m.To), "one recipient")
		require.NotContains(t, m.To, ", ")
	}
}

func fieldsOf(message []byte) (names []string) {
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(message))).ReadMIMEHeader()
	if err != nil {
		return []string{err.Error()}
	}
	for name, values := range header {
		names = append(names, name)
		if len(values) > 1 {
			names = append(names, fmt.Sprintf("%s %d times", name, len(values)))
		}
	}
	slices.Sort(names)
	return names
}

func TestNamesKeepTheirSpelling(t *testing.T) {
	for name, want := range map[string]string{
		`Ana "Nina" Pérez`: `Ana "Nina" Pérez`, `O'Brien, Jr.`: `O'Brien, Jr.`, "Ünal (İzmir)": "Ünal (İzmir)", "王小明": "王小明",
		"Ana <3": "Ana <3", `Ana \ Pérez`: "Ana Pérez", " Ana\r\nPérez ": "Ana Pérez",
	} {
		t.Run(name, func(t *testing.T) {
			l := exampleEmails()["en"]
			l.ToName = name
			to, err := mailcatch.Message{Raw: sendAndReceive(t, l, nil)}.Email()
			require.NoError(t, err)
			list, err := to.Header.AddressList("To")
			require.NoError(t, err)
			require.Equal(t, want, list[0].Name)
			require.Equal(t, l.To, list[0].Address)
		})
	}
}
