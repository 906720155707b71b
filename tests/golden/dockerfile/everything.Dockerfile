# syntax is named in words only, so this is a comment and no directive
ARG GO=1.26
ARG BASE=golang:${GO}-trixie
ARG WITHOUT

FROM --platform=$BUILDPLATFORM ${BASE} AS Build
ARG VERSION=0 COMMIT
RUN --mount=type=cache,target=/root/.cache \
    # a comment between continued lines

    --mount=type=bind,from=alpine:3,source=/etc,target=/alpine \
    go build ./...
RUN <<EOF cat <<-"INNER" > /tmp/x
FROM inside:heredoc
EOF
	FROM inside:second-heredoc
	INNER
run echo '<<EOF' && cat <<< word

from build as test
COPY --from=BUILD /bin/a /bin/a
COPY --from=0 /bin/b /bin/b
COPY --link --from=nginx:1-alpine /usr/share /usr/share

FROM scratch AS empty
COPY --from=docs / /

FROM registry.example.com:5000/team/base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
COPY --from=test / /

FROM ${WITHOUT:-debian:trixie}
FROM ${WITHOUT}x AS unknown
FROM --platform=linux/$TARGETARCH debian:trixie${WITHOUT:+-never}
