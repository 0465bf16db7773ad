package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
)

// Limits of an upload. The answer to a larger body is status 413.
const (
	MaxUpload     = 10 << 20 // bytes of its files together; its other fields have MaxForm
	uploadTimeout = 2 * time.Minute
)

// upload wraps a handler that reads files of a form. Before the permission is checked it reads the fields that stand before
// the first file, in the time and size of any form: a form with files has its other fields, the session's token among them,
// before them. The handler reads the files by NextFile, as they come: nothing of them is kept. A form without files is read like any other.
func (k *Kernel) upload(h Handler) http.HandlerFunc {
	plain := k.ownDeadline(h)
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), uploadTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
			plain(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		const most = MaxUpload + MaxForm
		u := &upload{more: func() {
			server, end := http.NewResponseController(w), k.Wall().Add(uploadTimeout)
			_, _ = server.SetReadDeadline(end), server.SetWriteDeadline(end) // writers of tests have none
		}}
		var err error
		if r.Body = http.MaxBytesReader(w, r.Body, most); r.ContentLength > most {
			err = &http.MaxBytesError{Limit: most}
		} else {
			err = u.begin(r)
		}
		if fault.Is(err, fault.Invalid) {
			securitylog.Record(r.Context(), securitylog.FormMalformed)
		}
		if err == nil {
			err = h(w, r.WithContext(context.WithValue(r.Context(), uploadKey{}, u)))
		}
		if err != nil {
			k.problem(w, r, err)
		}
	}
}

type uploadKey struct{}

// upload is the form of a request whose files are being read.
type upload struct {
	parts *multipart.Reader
	next  *multipart.Part // the first file, until it is asked for
	read  int64           // bytes of the files
	more  func()          // gives the request the time of an upload
}

// begin reads the fields before the first file into r.PostForm and r.Form.
func (u *upload) begin(r *http.Request) (err error) {
	if u.parts, err = r.MultipartReader(); err != nil {
		return Malformed(err)
	}
	r.PostForm, r.Form = url.Values{}, r.URL.Query()
	left := int64(MaxForm)
	for fields := 0; ; fields++ {
		part, err := u.parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return Malformed(err)
		}
		if part.FileName() != "" {
			u.next = part
			return nil
		}
		if fields >= MaxFields {
			return errTooManyFields
		}
		value, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return Malformed(err)
		}
		if left -= int64(len(value)); left < 0 {
			return &http.MaxBytesError{Limit: MaxForm}
		}
		r.PostForm.Add(part.FormName(), string(value))
		r.Form.Add(part.FormName(), string(value))
	}
}

// File is a file of an upload. It is read before the next one is asked for.
type File struct {
	Field string // of the form
	Name  string // as the browser calls it, without directories; never a path of ours
	u     *upload
	part  *multipart.Part
}

// Read is part of io.Reader. Beyond MaxUpload, over all files of the form, the error leads to status 413.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if f.u.read += int64(n); f.u.read > MaxUpload {
		return n, &http.MaxBytesError{Limit: MaxUpload}
	}
	return n, err
}

// NextFile returns the next file of a request to a route with the wrap Upload; io.EOF if there is none. Fields between the files
// are left out.
func NextFile(r *http.Request) (*File, error) {
	u, ok := r.Context().Value(uploadKey{}).(*upload)
	if !ok {
		return nil, io.EOF // a form without files
	}
	u.more()
	part := u.next
	u.next = nil
	for part == nil || part.FileName() == "" {
		var err error
		if part, err = u.parts.NextPart(); errors.Is(err, io.EOF) {
			return nil, io.EOF
		} else if err != nil {
			return nil, Malformed(err)
		}
	}
	return &File{part.FormName(), part.FileName(), u, part}, nil
}
