# The image of Hullwright itself: its default process is the dashboard, and `hullwright` is on PATH.
#
# Whatever downloads mounts the optional secret `ca-bundle` over the system's certificates, so that
# a site whose own authority intercepts TLS can build; the secret leaves no trace in a layer.
# PIP_INDEX_URL, where it is given, names the package index of such a site.
#
#   base ─┬─ builder ─── (/opt/hullwright) ──┐
#         ├─ development ─── test            │
#         └─ production ─────────────────────┘

FROM python:3.13-slim-trixie AS base
ENV PATH=/opt/hullwright/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1
# Without a date of its own the user has none that changes with the day of the build.
RUN groupadd --gid 10001 hullwright \
    && SOURCE_DATE_EPOCH=0 useradd --uid 10001 --gid 10001 --no-create-home \
        --home-dir /nonexistent --shell /usr/sbin/nologin hullwright
WORKDIR /app


FROM base AS builder
ARG PIP_INDEX_URL
# What pip imports on its way would be byte code with a time, which compileall leaves as it is.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1
# The environment is made without pip: nothing installs packages where the service runs.
RUN python -m venv --without-pip /opt/hullwright && python -m venv /opt/build
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=bind,source=requirements/production.txt,target=/tmp/production.txt \
    pip --python /opt/hullwright/bin/python install --require-hashes --no-compile \
        -r /tmp/production.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=bind,source=requirements/build.txt,target=/tmp/build.txt \
    /opt/build/bin/pip install --require-hashes -r /tmp/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
# The wheel is an archive, which has a time for each of its files: the first that a zip can have.
RUN SOURCE_DATE_EPOCH=315532800 /opt/build/bin/pip wheel --no-cache-dir --no-build-isolation \
        --no-deps --no-index --wheel-dir /tmp/wheels . \
    && pip --python /opt/hullwright/bin/python install --no-cache-dir --no-deps --no-index \
        --no-compile /tmp/wheels/*.whl
# Compiled here, for the root of a running container is read-only. Hashes instead of times keep
# the files the same from build to build; so does one process, for what several of them share of a
# file's names depends on which of them had which files before.
RUN /opt/hullwright/bin/python -m compileall -q -j 1 --invalidation-mode unchecked-hash \
        /opt/hullwright/lib


FROM base AS development
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/hullwright
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=bind,source=requirements,target=/tmp/requirements \
    pip install --require-hashes -r /tmp/requirements/build.txt \
    && pip install --require-hashes -r /tmp/requirements/dev.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
# Linked, not copied: docker-compose.dev.yml mounts the work tree over /app/src.
RUN pip install --no-cache-dir --no-build-isolation --no-deps --no-index --editable .
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "hullwright.dashboard", "healthcheck"]
ENTRYPOINT ["python", "-m", "hullwright.dashboard"]
CMD ["serve"]


FROM development AS test
ENV HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis
COPY deploy/base-images ./deploy/base-images
COPY tests ./tests
# A failing test fails the build of this stage.
RUN python -m pytest -q -p no:cacheprovider tests/unit
ENTRYPOINT ["python", "-m", "pytest", "-p", "no:cacheprovider"]
CMD ["tests/unit"]


FROM base AS production
COPY --from=builder /opt/hullwright /opt/hullwright
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "hullwright.dashboard", "healthcheck"]
ENTRYPOINT ["python", "-m", "hullwright.dashboard"]
CMD ["serve"]
# Last, so that a new commit changes nothing but the image's configuration.
ARG VERSION=0.0.0-local
ARG GIT_COMMIT=0000000
ARG GIT_REVISION=${GIT_COMMIT}
ARG BUILD_DATE=1970-01-01T00:00:00Z
ENV HULLWRIGHT_VERSION=${VERSION} \
    HULLWRIGHT_REVISION=${GIT_REVISION} \
    HULLWRIGHT_COMMIT_DATE=${BUILD_DATE}
LABEL org.opencontainers.image.title="hullwright" \
    org.opencontainers.image.description="The dashboard of Hullwright: the history of builds, sizes and cold starts" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${GIT_REVISION}" \
    org.opencontainers.image.created="${BUILD_DATE}"
