package bench

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRivalIsSentAnIDOfItsOwnEachTime(t *testing.T) {
	var mu sync.Mutex
	ids := map[string]bool{}
	rival := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Reference, Again string }
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		assert.Equal(t, body.Reference, body.Again)
		assert.Equal(t, []string{"/transactions?ledger=one", "application/json", "secret"},
			[]string{r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-Key")})
		mu.Lock()
		ids[body.Reference] = true
		mu.Unlock()
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(rival.Close)
	r, err := NewRival(rival.URL+"/transactions?ledger=one", []byte(`{"reference": "{{id}}", "again": "{{id}}"}`), []string{"X-Key: secret"})
	require.NoError(t, err)
	require.Positive(t, r.book(t, 4, 100))
	require.Len(t, ids, 100)
}

func TestRivalNeedsAnAddressAndAnID(t *testing.T) {
	for name, c := range map[string]struct {
		address, body string
		header        []string
		says          string
	}{
		"another scheme": {"https://ledger.example/", `{{id}}`, nil, "is not an address"},
		"a path":         {"/transactions", `{{id}}`, nil, "is not an address"},
		"no id":          {"http://127.0.0.1:3068/", `{}`, nil, "each request needs an id"},
		"no header":      {"http://127.0.0.1:3068/", `{{id}}`, []string{"secret"}, "is not a header line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewRival(c.address, []byte(c.body), c.header)
			require.ErrorContains(t, err, c.says)
		})
	}
}
