// Package accesspage has the pages by which a donor comes to their own pages: signing in, and opening the link of an
// email to a recurring gift or to a choice of emails. They show nothing about a person or a gift. Package portal decides
// what they say.
package accesspage
