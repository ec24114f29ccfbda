# loganalyze in a container, without root: docker build -t loganalyze . && docker run --rm -v "$PWD/logs:/logs" loganalyze .
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY loganalyzer loganalyzer
COPY patterns patterns
COPY reports/templates reports/templates
COPY sample_logs/clean_Q6_K.txt sample_logs/
# Debugging symbols and the libraries' own tests are a quarter of all bytes.
ARG EXTRAS=""
RUN python -m venv --without-pip /opt/loganalyzer \
  && python -m pip --python /opt/loganalyzer/bin/python install --no-cache-dir ".${EXTRAS:+[$EXTRAS]}" \
  && find /opt/loganalyzer -name '*.so*' -type f -exec strip --strip-unneeded {} + \
  && find /opt/loganalyzer -type d \( -name tests -o -name sample_data \) -prune -exec rm -rf {} + \
  && cd / && /opt/loganalyzer/bin/loganalyze /source/sample_logs/clean_Q6_K.txt --html /tmp/report.html

FROM python:3.13-slim
COPY --from=build /opt/loganalyzer /opt/loganalyzer
ENV PATH="/opt/loganalyzer/bin:$PATH" HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /logs
USER 1000:1000
ENTRYPOINT ["loganalyze"]
CMD ["--help"]
