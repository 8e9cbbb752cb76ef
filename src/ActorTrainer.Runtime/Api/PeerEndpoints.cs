using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Core.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Runtime.Api;

/// <summary>Files of checkpoints and bundles, for the other nodes of the cluster: list, read, take in, remove.</summary>
internal sealed class PeerEndpoints(PeerFolder folder)
{
    private const string BundlePath = "/v1/peers/bundles/{hash}";
    private const string TaskPath = "/v1/peers/{task}";
    private const string FilePath = "/v1/peers/{task}/{folder}/{name}";
    private const int PieceBytes = 1 << 20;

    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get(TaskPath, ListAsync);
        routes.Head(FilePath, http => ReadAsync(http, withBody: false));
        routes.Get(FilePath, http => ReadAsync(http, withBody: true));
        routes.Put(FilePath, PutAsync);
        routes.Delete(FilePath, DeleteAsync);
        routes.Head(BundlePath, http => ReadBundleAsync(http, withBody: false));
        routes.Get(BundlePath, http => ReadBundleAsync(http, withBody: true));
        routes.Put(BundlePath, http => BundleEndpoints.TakeAsync(http, folder.Bundles));
    }

    private async Task ListAsync(HttpContext http)
    {
        PeerFileList list = new(OrLater(() => folder.List(TaskOf(http))));
        await http.WriteAsync(StatusCodes.Status200OK, list, PeerJsonContext.Default.PeerFileList);
    }

    private async Task ReadAsync(HttpContext http, bool withBody)
    {
        (TaskId task, string file) = FileOf(http);
        using SafeFileHandle? handle = OrLater(() => folder.Open(task, file));
        await SendAsync(http, handle, withBody);
    }

    private async Task ReadBundleAsync(HttpContext http, bool withBody)
    {
        string hash = BundleEndpoints.HashOf(http);
        using SafeFileHandle? handle = OrLater(() => folder.Bundles.Open(hash));
        await SendAsync(http, handle, withBody);
    }

    private static async Task SendAsync(HttpContext http, SafeFileHandle? handle, bool withBody)
    {
        long offset = http.Number("offset") ?? 0;
        if (handle is null)
        {
            http.Response.Headers[PeerProtocol.AnswerHeader] = PeerProtocol.Absent;
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        long left = Math.Max(0, RandomAccess.GetLength(handle) - offset);
        long count = Math.Min(left, http.Number("count") ?? left);
        http.Response.Headers[PeerProtocol.AnswerHeader] = PeerProtocol.Present;
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = count;
        if (!withBody)
        {
            return;
        }

        byte[] piece = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(count, 1, PieceBytes));
        while (count > 0)
        {
            Memory<byte> target = piece.AsMemory(0, (int)Math.Min(count, piece.Length));
            int read = await RandomAccess.ReadAsync(handle, target, offset, http.RequestAborted);
            if (read == 0)
            {
                // It was cut short meanwhile; what came must not be taken for the whole.
                http.Abort();
                return;
            }

            await http.Response.Body.WriteAsync(target[..read], http.RequestAborted);
            (offset, count) = (offset + read, count - read);
        }
    }

    private async Task PutAsync(HttpContext http)
    {
        (TaskId task, string file) = FileOf(http);
        long atMost =
            http.Number("atMost")
            ?? throw new ApiProblemException(StatusCodes.Status400BadRequest, "'atMost' is missing", "say how many bytes come at most");
        if (file.EndsWith(".json", StringComparison.Ordinal) && atMost > PeerProtocol.LongestManifest)
        {
            throw new ApiProblemException(StatusCodes.Status413PayloadTooLarge, $"no manifest has {atMost} bytes");
        }

        // Counted below, and never more than was announced.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        try
        {
            await folder.ReceiveAsync(task, file, http.Request.Body, atMost, http.RequestAborted);
        }
        catch (CheckpointStoreException e)
        {
            throw new ApiProblemException(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
        }
        catch (InvalidDataException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"{file} did not arrive whole: {e.Message}",
                "send it once more"
            );
        }
        catch (IOException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"{file} did not arrive whole: {e.Message.TrimEnd('.')}",
                "send it once more"
            );
        }

        http.Response.StatusCode = StatusCodes.Status201Created;
    }

    private Task DeleteAsync(HttpContext http)
    {
        (TaskId task, string file) = FileOf(http);
        OrLater(() =>
        {
            folder.Delete(task, file);
            return true;
        });
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static TaskId TaskOf(HttpContext http) =>
        TaskId.TryParse(http.Route("task"), out TaskId task)
            ? task
            : throw new ApiProblemException(StatusCodes.Status400BadRequest, $"'{http.Route("task")}' is not a task's id");

    private static (TaskId Task, string File) FileOf(HttpContext http)
    {
        string file = $"{http.Route("folder")}/{http.Route("name")}";
        return PeerProtocol.IsShared(file)
            ? (TaskOf(http), file)
            : throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"'{file}' is not a checkpoint's file",
                "see docs/formats/http-api.md for what nodes ask one another"
            );
    }

    private static T OrLater<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (CheckpointStoreException e)
        {
            throw new ApiProblemException(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
        }
    }
}
