package published

// All returns the weights that this program knows by name, in the order of lists.
//
// Where the numbers come from: OpenAI's addresses contain the SHA-256 (clip/clip.py of
// openai/CLIP); the names of open_clip's release files contain its first 32 bits
// (pretrained.py of open_clip), and the whole is what projects record that use them;
// Hugging Face lists size and SHA-256 of its files; those of AnomalyCLIP's files are what
// projects record that use them. Which dataset the latter were trained on is in the
// repository's train.sh.
func All() Table {
	return Table{
		{
			Name: "openai:ViT-L/14@336", Kind: CLIP, For: []string{"acdclip", "anomalyclip", "adaclip"},
			Publisher: "OpenAI", Page: openAIPage, Licence: "MIT",
			URL:  openAI + "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
			Size: 934_088_680, SHA256: "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
			Hub: []string{"openai/clip-vit-large-patch14-336"},
		},
		{
			Name: "openai:ViT-L/14", Kind: CLIP,
			Publisher: "OpenAI", Page: openAIPage, Licence: "MIT",
			URL:  openAI + "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt",
			Size: 932_768_134, SHA256: "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
			Hub: []string{"openai/clip-vit-large-patch14"},
		},
		{
			Name: "openai:ViT-B/16", Kind: CLIP,
			Publisher: "OpenAI", Page: openAIPage, Licence: "MIT",
			URL:  openAI + "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt",
			Size: 350_837_078, SHA256: "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
			Hub: []string{"openai/clip-vit-base-patch16"},
		},
		{
			Name: "openai:ViT-B/32", Kind: CLIP,
			Publisher: "OpenAI", Page: openAIPage, Licence: "MIT",
			URL:  openAI + "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
			Size: 353_976_522, SHA256: "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
			Hub: []string{"openai/clip-vit-base-patch32"},
		},
		{
			Name: "open_clip:ViT-B-16-plus-240", Kind: CLIP, For: []string{"winclip", "clip_ad"}, Note: "LAION-400M, epoch 31",
			Publisher: "open_clip", Page: openCLIPPage, Licence: "MIT",
			URL:  openCLIP + "vit_b_16_plus_240-laion400m_e31-8fb26589.pt",
			Size: 834_000_000, About: true, SHA256: "8fb26589b9a8bab2e7a683d280e48df89b8e742f3a82132707282620b36facba",
			Hub: []string{"timm/vit_base_patch16_plus_clip_240.laion400m_e31"},
		},
		{
			Name: "open_clip:ViT-B-16-plus-240-e32", Kind: CLIP, For: []string{"winclip"}, Note: "LAION-400M, epoch 32: for winclip's preset caoyunkang",
			Publisher: "open_clip", Page: openCLIPPage, Licence: "MIT",
			URL:  openCLIP + "vit_b_16_plus_240-laion400m_e32-699c4b84.pt",
			Size: 833_559_975, SHA256: "699c4b843885d82733517f36f0911d7e1b360bcc1314dda81d8c56c76fe9524d",
		},
		{
			Name: "open_clip:ViT-H-14", Kind: CLIP, Note: "LAION-2B, laion2b_s32b_b79k",
			Publisher: "LAION", Page: "https://huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K", Licence: "MIT",
			URL:  "https://huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K/resolve/1c2b8495b28150b8a4922ee1c8edee224c284c0c/open_clip_model.safetensors",
			Size: 3_944_517_836, SHA256: "0084e75319a50ad85ef45377bad5bc38f2f58824459eb690048d51c9f8863be5",
			Hub: []string{"laion/CLIP-ViT-H-14-laion2B-s32B-b79K"},
		},
		{
			Name: "anomalyclip:trained-on-visa", Kind: Checkpoint, For: []string{"anomalyclip"}, Note: "for MVTec AD and all other datasets than VisA",
			Publisher: "AnomalyCLIP's authors", Page: anomalyCLIPPage, Licence: "MIT",
			URL:  anomalyCLIP + "9_12_4_multiscale/epoch_15.pth",
			Size: 22_631_975, SHA256: "94ce202da3e6486a864b904fdfed5057de75846c5834e446fd1d2fe7f97acb44",
			Auxiliary: "visa", Epoch: 15,
		},
		{
			Name: "anomalyclip:trained-on-mvtec", Kind: Checkpoint, For: []string{"anomalyclip"}, Note: "for VisA and all other datasets than MVTec AD",
			Publisher: "AnomalyCLIP's authors", Page: anomalyCLIPPage, Licence: "MIT",
			URL:  anomalyCLIP + "9_12_4_multiscale_visa/epoch_15.pth",
			Size: 22_631_975, SHA256: "415c5dcb52668b8c33fb9c1a351c686d632b919df5b384d63fa9ce7a2338ced4",
			Auxiliary: "mvtec", Epoch: 15,
		},
	}
}

const (
	openAI     = "https://openaipublic.azureedge.net/clip/models/"
	openAIPage = "https://github.com/openai/CLIP"

	openCLIP     = "https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights/"
	openCLIPPage = "https://github.com/mlfoundations/open_clip"

	anomalyCLIP     = "https://github.com/zqhang/AnomalyCLIP/raw/45ed4dd35c05797d854294b5e8d585c545920089/checkpoints/"
	anomalyCLIPPage = "https://github.com/zqhang/AnomalyCLIP"
)
