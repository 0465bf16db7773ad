package chaos

import (
	"bytes"
	"encoding/hex"
	"os/exec"
	"strings"

	"github.com/stretchr/testify/require"
)

// words returns which words about people who are to be erased a dump contains, as text or as hex.
func (w *erasures) words() (all []string) {
	dump := w.dump()
	for _, p := range w.people {
		all = append(all, found(dump, p.words())...)
	}
	return all
}

// dump returns a dump of the database in lower case.
func (w *erasures) dump() []byte {
	command := exec.Command("pg_dump", "--dbname="+w.DB.OwnerURL)
	text, err := command.Output()
	require.NoError(w.t, err)
	require.NotEmpty(w.t, text)
	return bytes.ToLower(text)
}

// found returns the words that a dump in lower case contains, as text or as the hex of a value of type bytea.
func found(dump []byte, words []string) (all []string) {
	for _, word := range words {
		for _, form := range []string{strings.ToLower(word), hex.EncodeToString([]byte(word)), hex.EncodeToString([]byte(strings.ToLower(word)))} {
			if bytes.Contains(dump, []byte(form)) {
				all = append(all, word)
				break
			}
		}
	}
	return all
}

// requireKept requires that the receipts of the erased can be opened with the secret, and name them.
func (w *erasures) requireKept() {
	numbers := w.Lines(`SELECT 'TSNE-' || r.year || '-' || lpad(r.number::text, 6, '0') FROM receipt_kept k JOIN receipt r ON r.id = k.receipt_id ORDER BY 1`)
	require.GreaterOrEqual(w.t, len(numbers), 2*len(w.people))
	named := map[string]bool{}
	for _, number := range numbers {
		facts, err := w.OwnersPrivacy().OpenSealedReceipt(w.t.Context(), number, "auditor", "test")
		require.NoError(w.t, err)
		named[strings.TrimPrefix(facts.Email, secondAddress)] = true
	}
	require.Len(w.t, named, len(w.people))
}
