# PostgreSQL 17 with PostGIS and pgvector beside what it brings itself (pg_trgm,
# pg_stat_statements).
#
# The base has sources of packages: those of PostgreSQL's own archive in the official image, Debian's
# where the base was made of Debian's packages. Where it has none, for it was made from a site's own
# mirror, DEBIAN_MIRROR names that one; it does not stay in the image.
FROM postgres:17-trixie AS production
ARG DEBIAN_MIRROR
# hadolint ignore=DL3008  # the suite is pinned; a version is gone from it with the next update
RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=tmpfs,target=/var/log \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    if [ -n "${DEBIAN_MIRROR}" ]; then \
        echo "deb ${DEBIAN_MIRROR} trixie main" > /etc/apt/sources.list.d/build.list; \
    fi \
    && apt-get update \
    && apt-get install --yes --no-install-recommends \
        openssl postgresql-17-pgvector postgresql-17-postgis-3 postgresql-17-postgis-3-scripts \
    && rm -f /etc/apt/sources.list.d/build.list
COPY --chmod=0755 deploy/docker/init/ /docker-entrypoint-initdb.d/
