using System.Net;

namespace ActorTrainer.Client;

/// <summary>Reads a run's output from a response.</summary>
internal sealed class HttpRunReader : IRunOutputReader
{
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

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _body.ReadAsync(buffer, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _response.Dispose();
        return ValueTask.CompletedTask;
    }
}
