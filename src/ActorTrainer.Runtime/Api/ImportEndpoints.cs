using ActorTrainer.Checkpoints;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Checkpoints from outside: the task is asked before anything is sent, its files are stored under its owner's term, and the owner lists
/// the checkpoint or refuses it, as the task has begun to run meanwhile.
/// </summary>
internal sealed class ImportEndpoints(ITaskClient client, INodeFiles files, TaskLookup lookup)
{
    private const string Archive = "application/x-tar";
    private const string Tensors = "application/octet-stream";
    private const string Form = "see 'Export and import' in docs/formats/checkpoint.md for what can be imported";

    public void Map(ApiEndpoints.Routes routes) => routes.Post("/v1/checkpoints/{task}/import", ImportAsync);

    private async Task ImportAsync(HttpContext http)
    {
        string type = http.Request.ContentType?.Split(';')[0].Trim() ?? Tensors;
        if (type is not (Archive or Tensors))
        {
            throw new ApiProblemException(
                StatusCodes.Status415UnsupportedMediaType,
                $"'{type}' is nothing that can be imported",
                $"send a safetensors file as {Tensors}, or a tar archive of a checkpoint's files as {Archive}"
            );
        }

        TaskId task = (await lookup.FindAsync(http.Route("task"), http.RequestAborted)).Summary.Task;
        CommandReply prepared = await client.AskAsync(task, new PrepareImport(), http.RequestAborted);
        if (prepared is not CommandAccepted { Term: { } term })
        {
            await http.WriteReplyAsync(prepared);
            return;
        }

        // What arrives says itself how long it is, and is refused before it has come when that is wrong.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        CheckpointRef checkpoint = await StoreAsync(http, type, task, term);
        CommandReply reply = await client.AskAsync(task, new ImportCheckpoint(checkpoint), CancellationToken.None);
        if (reply is CommandRefused)
        {
            await files.DropImportAsync(task, checkpoint);
        }

        await http.WriteReplyAsync(reply, StatusCodes.Status201Created);
    }

    private async Task<CheckpointRef> StoreAsync(HttpContext http, string type, TaskId task, long term)
    {
        string? folder = null;
        try
        {
            folder = files.CreateArrivalFolder();
            (long step, double epoch) = await TakeAsync(http, type, task, folder);
            ImportedState state = new(task, term, http.Number("step") ?? step, epoch);
            return await files.ImportCheckpointAsync(state, folder, http.RequestAborted);
        }
        catch (ArrivalException e)
        {
            throw new ApiProblemException(StatusCodes.Status400BadRequest, $"it cannot be imported: {e.Message}", Form);
        }
        catch (CheckpointStoreException e) when (e.IsOfTheState)
        {
            throw new ApiProblemException(StatusCodes.Status400BadRequest, $"it cannot be imported: {e.Message.TrimEnd('.')}", Form);
        }
        catch (CheckpointStoreException e)
        {
            throw new ApiProblemException(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
        }
        catch (Exception e) when (e is BadHttpRequestException or ConnectionResetException)
        {
            throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"it did not arrive whole: {e.Message.TrimEnd('.')}",
                "send it once more"
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiProblemException(
                StatusCodes.Status503ServiceUnavailable,
                $"it could not be kept on this node: {e.Message.TrimEnd('.')}",
                ApiProblemException.Later
            );
        }
        finally
        {
            Remove(folder);
        }
    }

    private async Task<(long Step, double Epoch)> TakeAsync(HttpContext http, string type, TaskId task, string folder)
    {
        bool isState = !await IsCommandAsync(task, http.RequestAborted);
        if (type == Archive)
        {
            await new ArchiveArrival(http.Request.Body, folder).TakeAsync(isState, http.RequestAborted);
            return (0, 0);
        }

        TensorArrival arrival = new(http.Request.Body, folder);
        if (isState)
        {
            await arrival.TakeAsStateAsync(http.Request.ContentLength, http.RequestAborted);
        }
        else
        {
            await arrival.TakeAsFileAsync(NameOf(http), http.Request.ContentLength, http.RequestAborted);
        }

        return (arrival.Step ?? 0, arrival.Epoch);
    }

    private async Task<bool> IsCommandAsync(TaskId task, CancellationToken cancellationToken)
    {
        IReadOnlyList<EventRow> first = await client.ReadEventsAsync(task, 0, 1, cancellationToken);
        return first is [{ Event: TaskSubmitted { Spec.Command: not null } }];
    }

    /// <summary>A command finds the file under its own name.</summary>
    private static string NameOf(HttpContext http)
    {
        string? name = http.Request.Query["name"];
        return string.IsNullOrEmpty(name) ? "model.safetensors"
            : EntryPath.IsSafe(name) && !name.Contains('/', StringComparison.Ordinal) ? name
            : throw new ArrivalException($"'{name}' cannot be the name of a file");
    }

    private static void Remove(string? folder)
    {
        try
        {
            if (folder is not null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The node's next start removes it.
        }
    }
}
