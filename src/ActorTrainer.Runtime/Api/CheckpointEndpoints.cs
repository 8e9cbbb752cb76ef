using System.Formats.Tar;
using ActorTrainer.Checkpoints;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Api;

/// <summary>Checkpoints: list, verify, hand out.</summary>
internal sealed class CheckpointEndpoints(ITaskQueries queries, INodeFiles files, TaskLookup lookup)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/checkpoints", ListAsync);
        routes.Post("/v1/checkpoints/{task}/{name}/verify", VerifyAsync);
        routes.Get("/v1/checkpoints/{task}/{name}/files", http => WithContentAsync(http, WriteFilesAsync));
        routes.Get("/v1/checkpoints/{task}/{name}/archive", http => WithContentAsync(http, WriteArchiveAsync));
    }

    private async Task ListAsync(HttpContext http)
    {
        string? text = http.Request.Query["task"];
        TaskId? task = string.IsNullOrEmpty(text) ? null : (await lookup.FindAsync(text, http.RequestAborted)).Summary.Task;
        IReadOnlyList<CheckpointListing> checkpoints = await queries.ListCheckpointsAsync(task, http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, new CheckpointList(checkpoints), ApiJson.Default.CheckpointList);
    }

    private async Task VerifyAsync(HttpContext http)
    {
        TaskListing task = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        string name = http.Route("name");
        CheckpointVerification verification = await files.VerifyCheckpointAsync(task.Summary.Task, name, http.RequestAborted);
        if (!verification.Found)
        {
            throw NoSuch(task.Summary.Name, name);
        }

        await http.WriteAsync(StatusCodes.Status200OK, verification, ApiJson.Default.CheckpointVerification);
    }

    private static ApiProblemException NoSuch(string task, string name) =>
        new(
            StatusCodes.Status404NotFound,
            $"task '{task}' has no checkpoint '{name}'",
            $"list its checkpoints with 'actortrainer checkpoints ls {task}'"
        );

    private async Task WithContentAsync(HttpContext http, Func<HttpContext, TaskId, ICheckpointContent, Task> write)
    {
        TaskSummary task = (await lookup.FindAsync(http.Route("task"), http.RequestAborted)).Summary;
        string name = http.Route("name");
        try
        {
            using ICheckpointContent content =
                await files.OpenCheckpointAsync(task.Task, name, http.RequestAborted) ?? throw NoSuch(task.Name, name);
            await write(http, task.Task, content);
        }
        catch (CheckpointDamagedException e)
        {
            // An answer that has begun is broken off: what came of it must not be taken for the whole.
            string others = $"list the others with 'actortrainer checkpoints ls {task.Name}'";
            await http.WriteProblemAsync(StatusCodes.Status409Conflict, $"the checkpoint is damaged: {e.Message.TrimEnd('.')}", others);
        }
        catch (CheckpointStoreException e)
        {
            await http.WriteProblemAsync(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
        }
    }

    /// <summary>What was learned of how the task saves is nothing that it wrote.</summary>
    private static bool IsOfTheTask(CheckpointFile file) => file.Path != FolderCapture.OrderFile;

    private static Task WriteFilesAsync(HttpContext http, TaskId task, ICheckpointContent content) =>
        http.WriteAsync(
            StatusCodes.Status200OK,
            new CheckpointFiles(task, http.Route("name"), [.. content.Files.Where(IsOfTheTask)]),
            ApiJson.Default.CheckpointFiles
        );

    private static async Task WriteArchiveAsync(HttpContext http, TaskId task, ICheckpointContent content)
    {
        http.Response.ContentType = "application/x-tar";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{http.Route("name")}.tar\"";

        // Not disposed when something goes wrong: that would write the end that makes an archive a whole one.
        TarWriter tar = new(http.Response.Body, TarEntryFormat.Pax, leaveOpen: true);
        for (int i = 0; i < content.Files.Count; i++)
        {
            CheckpointFile file = content.Files[i];
            if (!IsOfTheTask(file))
            {
                continue;
            }

            await using Stream bytes = file.Link is null ? content.OpenFile(i) : Stream.Null;
            TarEntry entry = NewEntry(file.Link is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, file.Path);
            entry.ModificationTime = file.Modified ?? DateTimeOffset.UnixEpoch;
            if (file.Link is { } link)
            {
                entry.LinkName = link;
            }
            else
            {
                entry.DataStream = bytes;
                entry.Mode = EntryMode.TryParse(file.Mode, out int mode) ? (UnixFileMode)mode : entry.Mode;
            }

            await tar.WriteEntryAsync(entry, http.RequestAborted);
        }

        await tar.DisposeAsync();
    }

    /// <summary>Many programs, .NET's reader too, take a newline for the end of a record of the usual format.</summary>
    private static TarEntry NewEntry(TarEntryType type, string path) =>
        path.Contains('\n', StringComparison.Ordinal) ? new GnuTarEntry(type, path) : new PaxTarEntry(type, path);
}
