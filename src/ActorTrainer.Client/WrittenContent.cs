using System.Net;
using System.Net.Http.Headers;

namespace ActorTrainer.Client;

/// <summary>A body of a length that is not known before it is written.</summary>
internal sealed class WrittenContent : HttpContent
{
    private readonly Func<Stream, CancellationToken, Task> _write;

    public WrittenContent(Func<Stream, CancellationToken, Task> write)
    {
        _write = write;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _write(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _write(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
