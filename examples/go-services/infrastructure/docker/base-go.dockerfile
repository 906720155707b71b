# The one Dockerfile of every Go service. SERVICE says which; its folder is the context, and the
# folder that all share is the context `shared`, so a change of one service builds no other one.
#
#   toolchain ─┬─ std ─────────────────────┐
#              └─ base ── sources ─┬─ builder ─── production
#                                  ├─ test           │
#                                  └─ development    │
#   packages ────────────────────────────────────────┘
#
# What downloads reads the optional secret `ca-bundle` in place of the system's certificates, so that
# a site whose own authority intercepts TLS can build. What compiles has no network: all that it needs
# is in the layers before it.
#
# Go's variables are build arguments: CGO_ENABLED is 0, GOOS and GOARCH are those of the platform, and
# GOPROXY and GOSUMDB are Go's own where they are not given.

FROM --platform=$BUILDPLATFORM golang:1.26-trixie AS toolchain
ARG CGO_ENABLED=0
ARG GOPROXY
ARG GOSUMDB
# Each service is built by its own go.mod alone, as its tag says, and not by what the workspace has.
# netgo, osusergo: Go itself looks up hosts and users, so that a program is static with cgo, too.
ENV CGO_ENABLED=${CGO_ENABLED} \
    GOCACHE=/cache \
    GOFLAGS="-trimpath -buildvcs=false -tags=netgo,osusergo" \
    GOWORK=off


# What every service imports, compiled once for each architecture: a layer with which every cache of
# compiled packages begins. Without it, all services would compile this at the same time, each for
# itself, whenever the builder has dropped that cache.
FROM toolchain AS std
ARG TARGETOS
ARG TARGETARCH
ARG GOOS=${TARGETOS}
ARG GOARCH=${TARGETARCH}
RUN --network=none \
    go build crypto/rand encoding/json log/slog net/http/httptest net/http/httputil os/exec os/signal


# The modules of one service, downloaded and verified against go.sum; a layer and not a cache, so
# that a shell in this stage and the development image have them, and no later step looks for them.
FROM toolchain AS base
ARG SERVICE
WORKDIR /src/services/${SERVICE}
# hadolint ignore=DL3022  # `shared` is no stage, but a context that is given by its name
COPY --from=shared go.mod /src/shared/
COPY go.mod go.sum* ./
# As a user who may not write go.sum: what is not in it is an error, and is not added.
USER 1001:1001
RUN --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt,mode=0444 \
    go mod download && go mod verify


# Root compiles: a cache mount of another owner is not the same one in every step that mounts it.
FROM base AS sources
# hadolint ignore=DL3002  # of a stage that nobody runs
USER 0:0
# hadolint ignore=DL3022  # likewise a context
COPY --from=shared . /src/shared
COPY . .


FROM sources AS builder
ARG TARGETOS
ARG TARGETARCH
ARG GOOS=${TARGETOS}
ARG GOARCH=${TARGETARCH}
ARG VERSION=dev
ARG GIT_COMMIT=unknown
ARG BUILD_DATE=unknown
# -extldflags is for programs with C in them, which else would look for a C library that production
# has not.
RUN --network=none --mount=type=cache,id=chorus-go-build,from=std,source=/cache,target=/cache \
    package=chorus.example/shared/service \
    && go build -o /out/service -ldflags "-s -w -extldflags=-static \
        -X ${package}.version=${VERSION} -X ${package}.commit=${GIT_COMMIT} \
        -X ${package}.date=${BUILD_DATE}" .


# The service's tests, and those of what it shares, run by the user of production.
FROM sources AS test
RUN --network=none --mount=type=cache,id=chorus-go-build,from=std,source=/cache,target=/cache \
    mkdir /tests && go vet ./... && go test -c -o /tests/ ./... chorus.example/shared/...
USER 1001:1001
ENV GOCACHE=/tmp/cache
RUN for test in /tests/*; do "${test}" -test.v || exit 1; done


# For the machine that builds it. docker-compose.dev.yml mounts the sources over those copied here.
FROM sources AS development
RUN --network=none --mount=type=cache,id=chorus-go-build,from=std,source=/cache,target=/cache \
    go build -C /src/shared -o /usr/local/bin/reload ./cmd/reload
# What is compiled already comes with it, for a volume begins with what the image has in its place.
COPY --from=std --chown=1001:1001 /cache /cache
USER 1001:1001
RUN --network=none go build -o /dev/null .
ENV PORT=8081
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=0.25s --retries=3 \
    CMD ["reload", "healthcheck"]
ENTRYPOINT ["reload", ".", "/src/shared"]


# A service's additional packages. In [services.NAME] build-args of hullwright.toml:
#   PACKAGES        Debian packages that are installed here, such as "tzdata media-types"
#   PACKAGE_FILES   files and folders of them, or of the base image, that production gets
# They are of the machine that builds: data, which is the same for every platform. What a program with
# C in it (CGO_ENABLED=1) is linked with is installed in `toolchain` instead.
FROM --platform=$BUILDPLATFORM golang:1.26-trixie AS packages
ARG PACKAGES=""
ARG PACKAGE_FILES=""
# The base has Debian's sources; one that was made from a site's own mirror has none, and gets that
# one here.
ARG DEBIAN_MIRROR
# hadolint ignore=DL3008  # the suite is pinned; a version is gone from it with the next update
RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    if [ -n "${DEBIAN_MIRROR}" ]; then \
        echo "deb ${DEBIAN_MIRROR} trixie main" > /etc/apt/sources.list.d/build.list; \
    fi; \
    if [ -n "${PACKAGES}" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES}; \
    fi
RUN mkdir /files && for path in ${PACKAGE_FILES}; do cp --archive --parents "${path}" /files; done


# No shell, no package manager, nothing that the service's user may write to.
FROM scratch AS production
COPY --from=packages /files/ /
COPY --from=builder /out/service /service
ENV PORT=8081
USER 1001:1001
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=0.25s --retries=3 \
    CMD ["/service", "healthcheck"]
ENTRYPOINT ["/service"]
