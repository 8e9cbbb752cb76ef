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

/// <summary>Checkpoints: list, verify, keep, hand out.</summary>
internal sealed class CheckpointEndpoints(ITaskClient client, INodeFiles files, TaskLookup lookup, RiskCatalog risks)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/checkpoints", ListAsync);
        routes.Get(
            "/v1/checkpoints/uncopied",
            http => http.WriteAsync(StatusCodes.Status200OK, risks.Local, ApiJson.Default.UncopiedCheckpoints)
        );
        routes.Post("/v1/checkpoints/{task}/remove", RemoveAsync);
        routes.Post("/v1/checkpoints/{task}/gc", CollectAsync);
        routes.Post("/v1/checkpoints/{task}/{name}/verify", VerifyAsync);
        routes.Post("/v1/checkpoints/{task}/{name}/pin", http => CommandAsync(http, new PinCheckpoint(http.Route("name"))));
        routes.Post("/v1/checkpoints/{task}/{name}/unpin", http => CommandAsync(http, new UnpinCheckpoint(http.Route("name"))));
        routes.Post("/v1/checkpoints/{task}/{name}/tag", http => TagAsync(http, tag => new TagCheckpoint(http.Route("name"), tag)));
        routes.Post("/v1/checkpoints/{task}/{name}/untag", http => TagAsync(http, tag => new UntagCheckpoint(http.Route("name"), tag)));
        routes.Get("/v1/checkpoints/{task}/{name}/files", http => WithContentAsync(http, WriteFilesAsync));
        routes.Get("/v1/checkpoints/{task}/{name}/archive", http => WithContentAsync(http, WriteArchiveAsync));
        routes.Get("/v1/checkpoints/{task}/{name}/safetensors", http => WithContentAsync(http, WriteTensorsAsync));
    }

    private async Task ListAsync(HttpContext http)
    {
        string? text = http.Request.Query["task"];
        TaskId? task = string.IsNullOrEmpty(text) ? null : (await lookup.FindAsync(text, http.RequestAborted)).Summary.Task;
        IReadOnlyList<CheckpointListing> checkpoints = await client.ListCheckpointsAsync(task, http.RequestAborted);
        HashSet<string>? atRisk = (await risks.CollectAsync(http.RequestAborted))?.Select(waiting => waiting.Checkpoint).ToHashSet();
        CheckpointList list = new(checkpoints)
        {
            AtRisk = atRisk is null ? null : [.. checkpoints.Select(listing => listing.Checkpoint.Name).Where(atRisk.Contains)],
        };
        await http.WriteAsync(StatusCodes.Status200OK, list, ApiJson.Default.CheckpointList);
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

        await http.WriteAsync(
            StatusCodes.Status200OK,
            verification with
            {
                Task = task.Summary.Task,
            },
            ApiJson.Default.CheckpointVerification
        );
    }

    private async Task TagAsync(HttpContext http, Func<string, TaskCommand> command)
    {
        string? tag = (await http.ReadBodyAsync()).Get(ApiJson.Default.TagBody)?.Tag;
        await CommandAsync(
            http,
            command(
                !string.IsNullOrEmpty(tag)
                    ? tag
                    : throw new ApiProblemException(StatusCodes.Status400BadRequest, "the body names no tag", "send {\"tag\":\"released\"}")
            )
        );
    }

    private async Task RemoveAsync(HttpContext http)
    {
        IReadOnlyList<string>? names = (await http.ReadBodyAsync()).Get(ApiJson.Default.RemoveBody)?.Checkpoints;
        await CommandAsync(
            http,
            new RemoveCheckpoints(
                names is { Count: > 0 } && names.All(name => !string.IsNullOrEmpty(name))
                    ? names
                    : throw new ApiProblemException(
                        StatusCodes.Status400BadRequest,
                        "the body names no checkpoint",
                        "send {\"checkpoints\":[\"c-3-1200-k3f9a2bc\"]}"
                    )
            )
        );
    }

    private async Task CommandAsync(HttpContext http, TaskCommand command)
    {
        TaskListing task = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        await http.WriteReplyAsync(await client.AskAsync(task.Summary.Task, command, http.RequestAborted));
    }

    /// <summary>
    /// Files that no listed checkpoint names; which of them nobody needs is for the task's owner to say, who alone knows of saves under
    /// way.
    /// </summary>
    private async Task CollectAsync(HttpContext http)
    {
        bool dryRun = http.Flag("dryRun");
        TaskId task = (await lookup.FindAsync(http.Route("task"), http.RequestAborted)).Summary.Task;
        IReadOnlyDictionary<string, long?> found;
        try
        {
            found = await files.ListStoreFilesAsync(task, http.RequestAborted);
        }
        catch (CheckpointStoreException e)
        {
            await http.WriteProblemAsync(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
            return;
        }

        CheckpointRef[] listed = [.. (await client.ListCheckpointsAsync(task, http.RequestAborted)).Select(listing => listing.Checkpoint)];
        IReadOnlyList<string> unnamed = RetentionPolicy.PlanGarbage([.. found.Keys], listed, long.MaxValue);
        CommandReply reply =
            unnamed.Count == 0
                ? new CommandAccepted(task)
                : await client.AskAsync(task, new CollectGarbage(unnamed, dryRun), http.RequestAborted);
        if (reply is CommandAccepted accepted)
        {
            StoreFile[] garbage = [.. (accepted.Files ?? []).Select(file => new StoreFile(file, found.GetValueOrDefault(file)))];
            await http.WriteAsync(StatusCodes.Status200OK, new TaskGarbage(task, dryRun, garbage), ApiJson.Default.TaskGarbage);
            return;
        }

        await http.WriteReplyAsync(reply);
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

    private async Task WriteTensorsAsync(HttpContext http, TaskId task, ICheckpointContent content)
    {
        string name = http.Route("name");
        IReadOnlyList<CheckpointListing> listed = await client.ListCheckpointsAsync(task, http.RequestAborted);
        CheckpointRef checkpoint = listed.FirstOrDefault(c => c.Checkpoint.Name == name)?.Checkpoint ?? throw NoSuch(task.Value, name);
        TensorExport export;
        try
        {
            export = await TensorExport.PlanAsync(task, checkpoint, content, http.RequestAborted);
        }
        catch (SafetensorsException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status409Conflict,
                $"{name} cannot be a safetensors file: {e.Message.TrimEnd('.')}",
                $"its files are had with 'actortrainer checkpoints export {name} DIR'"
            );
        }

        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = export.Length;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.safetensors\"";
        await export.WriteAsync(http.Response.Body, http.RequestAborted);
    }

    /// <summary>Many programs, .NET's reader too, take a newline for the end of a record of the usual format.</summary>
    private static TarEntry NewEntry(TarEntryType type, string path) =>
        path.Contains('\n', StringComparison.Ordinal) ? new GnuTarEntry(type, path) : new PaxTarEntry(type, path);
}
