package web_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/web"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// download is what a client received of a file.
type download struct {
	status  int
	problem bool // a page instead of the file
	body    string
	err     error // the client sees that the body is incomplete, or that there is no response
	took    time.Duration
}

// fetch downloads a file with a visitor's cookies.
func fetch(v *visitor.Visitor, address string) (d download) {
	request, _ := http.NewRequest("GET", address, nil)
	for name, value := range v.Cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	began := time.Now()
	client := program.Client()
	client.Timeout = time.Minute
	response, err := client.Do(request)
	if err != nil {
		return download{err: err, took: time.Since(began)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return download{response.StatusCode, response.Header.Get("Content-Disposition") == "", string(body), err, time.Since(began)}
}

// assertWhole checks that a file is complete by its own words, and returns how many entries it has.
func assertWhole(t *testing.T, pattern string, d download) (entries int) {
	t.Helper()
	switch {
	case strings.HasSuffix(pattern, ".json"):
		var copied struct {
			Items []json.RawMessage
			Count int
		}
		if assert.NoError(t, json.Unmarshal([]byte(d.body), &copied), pattern) {
			assert.Len(t, copied.Items, copied.Count, pattern)
		}
		return copied.Count
	case strings.HasSuffix(pattern, "/gifts.csv"): // has its length, so a client reports a cut
		rows, err := csv.NewReader(strings.NewReader(d.body)).ReadAll()
		require.NoError(t, err, pattern)
		return len(rows)
	case strings.HasSuffix(pattern, ".csv"):
		rows, err := csv.NewReader(strings.NewReader(d.body)).ReadAll()
		require.NoError(t, err, pattern)
		last := rows[len(rows)-1]
		require.Equal(t, "end of this copy", last[1], pattern)
		numbers := map[string]bool{}
		for _, row := range rows[1:] {
			numbers[row[0]] = row[0] != ""
		}
		delete(numbers, "")
		assert.Equal(t, strconv.Itoa(len(numbers)), last[3], pattern)
		return len(numbers)
	case strings.HasSuffix(pattern, "pdf"):
		assert.True(t, strings.HasPrefix(d.body, "%PDF-") && strings.HasSuffix(strings.TrimSpace(d.body), "%%EOF"), pattern)
		return 1
	}
	t.Errorf("%s: how does this file say that it is complete?", pattern)
	return 0
}

// files returns the routes that answer with a file: those with Wrap Stream, and those whose response to Ana is an
// attachment.
func files(t *testing.T, e visitor.TwoDonors) (patterns map[string]string) {
	t.Helper()
	patterns = map[string]string{}
	streams := 0
	for _, r := range routes(t, e.Program) {
		if r.writes() || r.isLink() {
			continue
		}
		got := e.Ana.Ask("GET", r.path(r.object(t, e)), nil)
		attached := strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment")
		if r.Wrap == web.Stream {
			streams++
			assert.True(t, attached, r.name())
		}
		if attached {
			patterns[r.Pattern] = r.path(r.object(t, e))
			whole := got.ContentLength >= 0 || r.Wrap == web.Stream
			assert.True(t, whole, "%s: a file has its length, or is a stream", r.name())
		}
	}
	require.GreaterOrEqual(t, streams, 2)
	require.Greater(t, len(patterns), streams)
	return patterns
}

// TestFilesAreWholeOrVisiblyCut downloads every file four times at once, from a database that is slow, that cuts
// connections, and that falls silent. A download is complete by its own count, a page with status 503, or an error that
// the client sees. None is a part that passes for the whole.
func TestFilesAreWholeOrVisiblyCut(t *testing.T) {
	t.Parallel()
	var proxy *pgproxy.Proxy
	e := visitor.NewTwoDonorsIn(t, program.New(t, program.Options{UnlimitedSignIn: true, Through: func(url string) *sqlx.DB {
		var err error
		proxy, err = pgproxy.Start(url, 12)
		require.NoError(t, err)
		t.Cleanup(proxy.Close)
		db, err := pg.OpenForRequests(t.Context(), proxy.URL(), 12)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}}))
	for range 150 {
		e.StartedGift(visitor.FormOf("ana@example.org", "Ana"))
	}
	whole := map[string]int{}
	paths := files(t, e)
	for pattern, path := range paths {
		whole[pattern] = assertWhole(t, pattern, fetch(e.Ana, e.URL+path))
	}
	require.Greater(t, whole["/portal/records/data.csv"], 150)

	for _, step := range []struct {
		name   string
		faults pgproxy.Faults
		then   *pgproxy.Faults // after the downloads have begun
		check  func(t *testing.T, pattern string, whole, cut int, slowest time.Duration)
	}{
		{"slow", pgproxy.Faults{Delayed: 1, Delay: 8 * time.Millisecond}, nil, func(t *testing.T, pattern string, whole, _ int, slowest time.Duration) {
			assert.Equal(t, 4, whole, "%s: a slow database cuts nothing", pattern)
			if strings.Contains(pattern, "/data.") {
				assert.Greater(t, slowest, pg.RequestTimeout(), "%s: slower than a page may be, or this test shows nothing", pattern)
			}
		}},
		{"cut", pgproxy.Faults{Cut: .01, Delayed: 1, Delay: time.Millisecond}, nil, func(t *testing.T, pattern string, _, cut int, _ time.Duration) {
			if strings.Contains(pattern, "/data.") {
				assert.NotZero(t, cut, "%s: no download was cut, so this test shows nothing", pattern)
			}
		}},
		{"silent", pgproxy.Faults{Delayed: 1, Delay: 4 * time.Millisecond}, &pgproxy.Faults{Hang: true}, func(t *testing.T, pattern string, _, cut int, slowest time.Duration) {
			if strings.Contains(pattern, "/data.") {
				assert.Equal(t, 4, cut, pattern)
				assert.Less(t, slowest, 12*time.Second, pattern)
			}
		}},
	} {
		for pattern, path := range paths {
			e.Exec(`DELETE FROM guard_count`) // the limit of copies in an hour is another test's
			proxy.SetFaults(step.faults)
			var done sync.WaitGroup
			got := make([]download, 4)
			for i := range got {
				done.Go(func() { got[i] = fetch(e.Ana, e.URL+path) })
			}
			if step.then != nil {
				time.Sleep(500 * time.Millisecond)
				proxy.SetFaults(*step.then)
			}
			done.Wait()
			proxy.SetFaults(pgproxy.None())
			complete, cut, slowest := 0, 0, time.Duration(0)
			for _, d := range got {
				slowest = max(slowest, d.took)
				switch {
				case d.err != nil:
					cut++
				case d.status == http.StatusOK && !d.problem:
					complete++
					assert.Equal(t, whole[pattern], assertWhole(t, pattern, d), "%s, %s: half an answer passes for all", step.name, pattern)
				default:
					assert.Equal(t, http.StatusServiceUnavailable, d.status, "%s, %s: %s", step.name, pattern, d.body)
					cut++
				}
			}
			t.Log(step.name, pattern, "complete", complete, "cut", cut, "slowest", slowest)
			step.check(t, pattern, complete, cut, slowest)
		}
	}
}

// TestBegunResponsesAreCut checks responses that fail after a part was sent, by a panic or an error: the connection is
// cut, and log and metrics have the status of a cut response. A client of HTTP/1.0 gets a stream with its length, or an
// error page.
func TestBegunResponsesAreCut(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	half := func(w http.ResponseWriter, size int) {
		w.Header().Set("Content-Disposition", `attachment; filename="half.csv"`)
		_, _ = io.WriteString(w, strings.Repeat("a line\n", size/7))
	}
	var statuses []int
	var mu sync.Mutex
	h.Server.Observe = func(_, _ string, status int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		statuses = append(statuses, status)
	}
	broken := errors.New("the rest could not be read")
	h.Server.Areas = append(h.Server.Areas, area{
		web.Get("/half/panic", web.Page, web.Public, func(w http.ResponseWriter, _ *http.Request, _ web.Anyone) error { half(w, 10_000); panic("x") }),
		web.Get("/half/error", web.Page, web.Public, func(w http.ResponseWriter, _ *http.Request, _ web.Anyone) error { half(w, 10_000); return broken }),
		web.Get("/half/stream", web.Stream, web.Public, func(w http.ResponseWriter, _ *http.Request, _ web.Anyone) error { half(w, 100_000); return broken }),
		web.Get("/half/early", web.Stream, web.Public, func(w http.ResponseWriter, _ *http.Request, _ web.Anyone) error { half(w, 100); return broken }),
		web.Get("/half/whole", web.Stream, web.Public, func(w http.ResponseWriter, _ *http.Request, _ web.Anyone) error { half(w, 100_000); return nil }),
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = web.HTTP(h.Server.Handler(), h.Log.Logger())
	server.Start()
	defer server.Close()
	nobody := visitor.New(t, h)
	for _, path := range []string{"/half/panic", "/half/error", "/half/stream"} {
		got := fetch(nobody, server.URL+path)
		assert.Error(t, got.err, "%s: %d bytes pass for all", path, len(got.body))
	}
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(statuses) == 3
	}, 5*time.Second, 10*time.Millisecond)
	assert.Equal(t, []int{web.StatusCut, web.StatusCut, web.StatusCut}, statuses)
	assert.Contains(t, h.Log.String(), "status=599")
	early := fetch(nobody, server.URL+"/half/early")
	assert.Equal(t, 500, early.status, "nothing was sent yet: a page says that it failed")
	assert.True(t, early.problem)
	assert.NoError(t, early.err)

	for path, want := range map[string]string{"/half/whole": "Content-Length: 99995\r\n", "/half/stream": "HTTP/1.0 500"} {
		t.Run(path, func(t *testing.T) {
			c, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			_, err = io.WriteString(c, "GET "+path+" HTTP/1.0\r\nHost: x\r\n\r\n")
			require.NoError(t, err)
			answer, err := io.ReadAll(c)
			require.NoError(t, err)
			require.NoError(t, c.Close())
			assert.Contains(t, string(answer), want)
		})
	}
}

// area is an area with routes for a test.
type area []web.Route

func (a area) Routes() []web.Route { return a }
