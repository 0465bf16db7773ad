package statement_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/statement"
)

// TestProgress: the bar grows and is removed at its end. Without a terminal nothing is shown.
func TestProgress(t *testing.T) {
	var shown, silent bytes.Buffer
	b := statement.Progress{Name: "tsne", All: 400, Began: time.Now().Add(-time.Minute), Now: time.Now, To: &shown, Shown: true}
	b.Add(100)
	require.Contains(t, shown.String(), "tsne       ██████████······························ 100 of 400, 3m0s to go")
	b.Add(300)
	require.Contains(t, shown.String(), "████████████████████████████████████████ 400 of 400, 0s to go")
	b.End()
	require.Equal(t, "\r\x1b[K", shown.String()[shown.Len()-4:])
	unseen := statement.Progress{All: 400, To: &silent}
	unseen.Add(400)
	unseen.End()
	require.Empty(t, silent.String())
}
