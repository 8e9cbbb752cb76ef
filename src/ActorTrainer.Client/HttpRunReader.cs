using System.Globalization;
using System.Net;

namespace ActorTrainer.Client;

/// <summary>Reads a run's output from a response.</summary>
internal sealed class HttpRunReader : IRunOutputReader
{
    /// <summary>Says at which byte an answer begins; without it, at the one that was asked for.</summary>
    public const string OffsetHeader = "ActorTrainer-Offset";

    /// <summary>Says why an answer begins later than asked for, percent-encoded.</summary>
    public const string MissingHeader = "ActorTrainer-Missing";

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;

    private HttpRunReader(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _body = body;
    }

    public static async Task<HttpRunReader> OpenAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            using HttpResponseMessage refused = response;
            refused.EnsureSuccessStatusCode();
        }

        return new HttpRunReader(response, await response.Content.ReadAsStreamAsync(cancellationToken));
    }

    /// <inheritdoc />
    public long? Offset => long.TryParse(Header(OffsetHeader), NumberStyles.None, CultureInfo.InvariantCulture, out long at) ? at : null;

    /// <inheritdoc />
    public string? Missing => Header(MissingHeader) is { } text ? Uri.UnescapeDataString(text) : null;

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _body.ReadAsync(buffer, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _response.Dispose();
        return ValueTask.CompletedTask;
    }

    private string? Header(string name) =>
        _response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
